// Package claims reads JSON Web Tokens whose signature has been checked: who issued them, for whom, how long they are valid, and
// whose they are. It also reads the public keys by which signatures are checked.
//
// What is not an access token or an ID token is refused, though it may be signed by the same issuer: logout tokens, and tokens that
// are bound to a key of the client, which a bearer must not use.
//
// There is no goroutine and no lock.
//
// Specifications: RFC 7515, RFC 7517, RFC 7519, RFC 8725, RFC 9068.
package claims
