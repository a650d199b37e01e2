// Package disco answers service discovery for a served host and its accounts (XEP-0030) by what
// the features of the host declare. The host also lists its components and other services; an
// account is shown to its own sessions and to its subscribers only. The host's capabilities are
// in the stream features (XEP-0115 §6.3).
//
// The registries have locks of their own; there is no other and no goroutine.
package disco
