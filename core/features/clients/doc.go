// Package clients lets an account's owner see which clients have access to the account, and withdraw it (XEP-0494).
//
// What is known of a client is what it says of itself in SASL2, and when it has logged in. A client that has logged in with the
// password keeps its access until the password is changed; another one loses its tokens at once, and its sessions end. Nobody but the
// account's own sessions can ask.
//
// There is no goroutine and no lock.
//
// Specifications: XEP-0494.
package clients
