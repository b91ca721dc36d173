"""Reloading: bring what is loaded up to date with what is on disk. Imported only when reloading is enabled.

The modules from the top down; each knows only its own line and those below it.

- ``reloader``: the one object that a loader delegates to.
- ``attempt``: one reload; what failed before does not keep other changes back.
- ``engine``: carries out a plan, begins anew with more modules where it must, asks, or reports a failure.
- ``transaction``: all of it or nothing: bodies are patched, modules run again, those who used them follow.
- ``rerun``, ``watching``: modules leave and are imported again; the part of the reloader that keeps the watcher.
- ``affected``, ``stored``, ``survey``: who used what has changed; who stored into whom; looking for lost events.
- ``graph``, ``staleness``: who imports whom; whether anything has changed where nobody tells.
- ``aliases``, ``opened``, ``planning``, ``upkeep``: names of others; files that were read; from files to a plan.
- ``records``, ``takeover``: every loaded module; old objects stay and take what the new ones have.
- ``reconcile``: functions and what wraps them take what the new ones have.
- ``classes``, ``own_files``, ``plan``, ``reading``, ``recording``: updating a class; what runs during an import.
- ``caches``, ``outside``, ``patching``, ``record``, ``watcher``: functions, and what libraries hold.
- ``codefacts``, ``functions``, ``observation``, ``values``: what code imports and uses; what values hold.
- ``adapters``, ``codediff``, ``codeimports``, ``failures``, ``inotify``, ``kinds``, ``polled``, ``shells``: parts.
- ``watchdog_events``: events by way of watchdog.
- ``batch``, ``changes``, ``checkout``, ``gate``, ``index``, ``interrupts``, ``journal``, ``nested``: parts.
- ``opcodes``, ``restart``, ``result``, ``signature``, ``sourcestore``, ``status``, ``told``: parts.
"""
