// Package oidc checks access tokens and ID tokens of an OpenID Connect provider, which are JSON Web Tokens that it has signed.
//
// The provider's metadata is read when the first token is checked, and again after an hour, while the old metadata stays in use, also where the provider does not answer; a provider that
// is down when the server starts is asked later. Its keys are read when a token names one that is not known, so that the provider
// can replace them at any time. Each address is asked once in ten seconds at most: made-up tokens cause no more than that.
//
// About tokens that are not JSON Web Tokens the provider is asked (RFC 7662) if this server has credentials for that; otherwise they are
// refused. An answer is used again for some seconds, with the hash of the token as its key. While a session lasts its token is asked for again
// (sasl.Recheck).
//
// Reads of metadata and keys are done by goroutines of their own, which end with the time limit, or when Close is called, which
// waits for them. Provider.mu, fetcher.mu and answers.mu are leaves.
//
// Specifications: OpenID Connect Core and Discovery 1.0, RFC 7662, RFC 8414, RFC 8725, RFC 9068; XEP-0493.
package oidc
