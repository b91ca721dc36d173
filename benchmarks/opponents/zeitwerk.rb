# Zeitwerk on the mirrored tree: prints its figures as a JSON object, as child.py does.
require "zeitwerk"

action, *pairs = ARGV
options = pairs.to_h { |pair| pair.split("=", 2) }

def milliseconds
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - start) * 1000
end

loader = Zeitwerk::Loader.new
loader.push_dir(options.fetch("tree"))
setup = milliseconds { loader.setup }
figures = { "ruby" => RUBY_VERSION, "zeitwerk" => Zeitwerk::VERSION }

case action
when "setup"
  figures["ms"] = setup
when "eager"
  figures["ms"] = setup + milliseconds { loader.eager_load }
  classes = ObjectSpace.each_object(Class).count { |found| found.name&.start_with?("Bigapp::") }
  figures["classes"] = classes
else
  abort "unknown action #{action}"
end

require "json"
puts figures.to_json
