// Package gateway has the environment that all parts of one gateway share: its domain and network, the settings, the
// clock, the log, the counters, and the group of goroutines.
//
// An Env is made once, before the parts, and its fields do not change. Group owns the goroutines:
// each is started by Env.Group.Go, and Group.Wait returns when the last one has ended. A panic
// ends its goroutine only; it is counted and logged.
//
// Locks: Group.mu and Limiter.mu are leaves and held for no longer than a field is read or written.
package gateway
