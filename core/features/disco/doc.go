// Package disco answers service discovery for a served host and its accounts (XEP-0030) with what the
// host's features declare. The host also lists components and services as items. An account answers
// its own sessions and its subscribers only. The host's capabilities are advertised in the stream
// features (XEP-0115 §6.3).
// There is no goroutine, and no lock besides those of the registries.
package disco
