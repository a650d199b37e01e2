// Package oidc checks access tokens and ID tokens of an OpenID Connect provider, which are JSON Web Tokens that it has signed.
//
// The provider's metadata is read when the first token is checked, and again after an hour, while the old metadata stays in use, also where the provider does not answer; a provider that
// is down when the server starts is asked later. Its keys are read when a token names one that is not known, so that the provider
// can replace them at any time. Each address is asked once in ten seconds at most: made-up tokens cause no more than that.
//
// Tokens that are not JSON Web Tokens are refused: only the provider could say for whom they are.
//
// Reads of metadata and keys are done by goroutines of their own, which end with the time limit, or when Close is called, which
// waits for them. Provider.mu and fetcher.mu are leaves.
//
// Specifications: OpenID Connect Core and Discovery 1.0, RFC 8414, RFC 8725, RFC 9068; XEP-0493.
package oidc
