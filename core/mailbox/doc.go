// Package mailbox runs work in order for each of many keys, such as rooms or conversations.
//
// A [Group] has one ordered queue of jobs for each key and one goroutine for a key while it
// has work. An idle key has no goroutine. Jobs of one key never run at the same time; jobs of
// different keys do not wait for each other.
//
// Each key has a state of type S:
//
//   - Options.New makes an empty state when the key is first used, without I/O.
//   - Options.Load fills it, in the key's goroutine, before the first job. An error is logged
//     and the call repeated with a growing pause, while the jobs wait.
//   - Jobs and Options.Work get it. Work runs after each batch of jobs, which is the place to
//     commit together what several jobs have prepared.
//   - Options.Disposable says whether the state of an idle key may be dropped, and Options.IdleFor
//     how long it is kept nevertheless; Options.Unload releases what it holds. The next use makes
//     a new one.
//
// Beside jobs a key has marks: bits that mean "look at X". A mark that is set twice before
// Work sees it is seen once and takes no room in the queue.
//
// Order: jobs of one key run in the order in which Enqueue and EnqueueAlways returned. Marks
// are given to Work after the jobs that were queued before them.
//
// A panic ends one job (or one call of Work) only; it is counted and logged with its stack.
//
// Goroutines: each is owned by the Group, and Stop waits for all of them. Locks: a Group has
// one mutex, which is held neither across I/O nor while a job, Load, Work or Unload runs. New,
// Disposable, IdleFor and the function given to Update run under it: they must be short and must not
// call the Group. A lock of the state may be taken inside them, so the order is Group, state.
package mailbox
