// Package mailbox runs work in order for each of many keys, such as rooms or conversations.
//
// A [Group] has one ordered queue of jobs for each key and one goroutine for a key while it
// has work. An idle key has no goroutine. Jobs of one key never run at the same time; jobs of
// different keys do not wait for each other.
//
// Each key has a state of type S:
//
//   - Options.New returns an empty state when the key is first used, without I/O.
//   - Options.Load fills it, in the key's goroutine, before the first job. An error is logged
//     and the call repeated with a growing pause, while the jobs wait.
//   - Jobs and Options.Work get it. Work runs after each batch of jobs, for example to
//     commit together what several jobs have prepared.
//   - Options.Disposable reports whether the state of an idle key may be dropped, and Options.IdleFor
//     how long it is kept before that; Options.Unload releases its resources. The next use creates
//     a new state.
//
// Besides jobs a key has marks: bits that tell Work what to check. A mark that is set several times before
// Work runs is passed to it once and takes no space in the queue.
//
// Order: jobs of one key run in the order in which Enqueue and EnqueueAlways returned. Marks
// are given to Work after the jobs that were queued before them.
//
// RunIdle runs a job of a key without work in the caller's goroutine: what is said of the key's goroutine holds for it then.
//
// A panic ends only the job (or the call of Work) in which it occurs; it is counted and logged with its stack.
//
// Goroutines: the Group owns all of them, and Stop waits for them. Locks: a Group has
// one mutex, which is not held during I/O or while a job, Load, Work or Unload runs. New,
// Disposable, IdleFor and the function passed to Update run under it: they must be short and must not
// call the Group. They may take a lock of the state, so the lock order is Group, state.
package mailbox
