// Package disco answers service discovery for a served host and its accounts (XEP-0030):
// the host says what the features tell of themselves and lists its components and
// gateways; an account is shown to its own sessions and to its subscribers only. The
// host's capabilities stand in the stream features (XEP-0115 §6.3).
//
// The registry has a lock of its own; there is no other and no goroutine.
package disco
