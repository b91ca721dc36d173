"""Reloading: bring what is loaded up to date with what is on disk. Imported only when reloading is enabled.

The modules from the top down; each knows only its own line and those below it.

- ``reloader``: the one object that a loader delegates to.
- ``watching``, ``survey``: being told of changes, or finding them.
- ``watcher``, ``observation``, ``inotify``, ``watchdog_events``, ``polled``, ``checkout``: being told.
- ``staleness``, ``attempt``, ``engine``: one reload, put back where it fails.
- ``planning``, ``failures``, ``batch``: from what may have changed to what has.
- ``apply``: a transaction over all modules, in the order of their dependencies.
- ``meeting``, ``rerun``, ``edits``, ``members``, ``bodyedits``: one module's part of it: what is patched, what runs.
- ``selection``, ``dependents``, ``stars``, ``need``, ``caches``, ``once``: what has to run, and what must not.
- ``effects``: what has changed so far, and what follows from it.
- ``execute``, ``reconcile``, ``classes``, ``patching``: new code and values in old modules, classes and functions.
- ``parsing``, ``graph``, ``aliases``, ``calltrace``: who depends on whom, and who calls whom.
- ``upkeep``, ``plan``, ``opened``, ``records``, ``own_files``, ``reading``, ``record``: what is known of modules.
- ``calls``, ``callwalk``, ``bodies``, ``identity``, ``facts``: what a piece of source comes to when it runs.
- ``pieces``, ``statementdiff``, ``statements``, ``bindings``, ``uses``, ``imports``: source as a list of statements.
- ``shells``, ``codefacts``, ``codeimports``, ``functions``, ``codediff``, ``nested``, ``opcodes``: code objects.
- ``gate``, ``result``, ``journal``, ``kinds``, ``index``, ``interrupts``, ``signature``, ``sourcestore``: the rest.
- ``told``, ``status``: what is told of directories and of all that is watched.
"""
