// Package fairqueue runs jobs on a bounded number of goroutines, so that the long ones of one account, such as reading an archive, do not keep
// others waiting. Each job has a key, for example an account. The jobs of one key run one after another, in their order; the keys take turns.
//
// A [Queue] owns its goroutines: it starts one when there is work and fewer run than Options.AtOnce, and Stop waits for them. Queue.mu
// is a leaf and not held while a job runs.
package fairqueue
