// Package jwt checks JSON Web Tokens that an issuer has signed with a secret (HS256) or a key (RS256, ES256): as passwords, and as
// tokens of OAUTHBEARER. Nobody is asked, so that nobody can take a token back before it expires.
//
// The file with the public keys is read again when it has changed, by the goroutine of a login. Verifier.mu is a leaf.
//
// Specifications: RFC 7515, RFC 7518, RFC 7519, RFC 8725.
package jwt
