// Package rest calls Discord's REST API with one token. It is our own and not discordgo's: that one sleeps through rate
// limits without looking at the context, reads answers of any size, refuses whole answers for one field of another type,
// and its errors quote the addresses of webhooks, which are secrets.
//
// Answers are decoded leniently (package lenientjson). Errors get their class here (errors.go).
//
// It starts no goroutines. Limits has a lock, which is never held over I/O.
package rest
