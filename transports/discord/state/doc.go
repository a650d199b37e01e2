// Package state holds what Discord's gateway has sent about guilds, channels and people. Everything is bounded.
//
// It starts no goroutines. State has one lock, which is never held over I/O.
package state
