// Package fairqueue runs jobs of many askers on a bounded number of goroutines: for work that takes long, such as reading an archive,
// and that nobody else must wait for. The jobs of one key run one after another, in their order; the keys take turns.
//
// A [Queue] owns its goroutines: it starts one when there is work and fewer run than Options.AtOnce, and Stop waits for them. Queue.mu
// is a leaf and not held while a job runs.
package fairqueue
