// Package logins keeps the linked accounts of XMPP users on a network, and their clients open.
//
// A Login has one goroutine that opens its client, and opens it again after it has ended, until
// the owner has to relink. The use cases are methods of Logins: Start links or relinks an account
// step by step (Process), Unlink and RemoveOwner remove logins, RotateKeys encrypts secrets with
// the newest key. Commands, chat and registration call them, and whatever else offers them to
// people. Secrets are encrypted by Keys (XChaCha20-Poly1305) and never logged.
//
// Events of a client go to the Receiver. Roster and Rooms change rosters and rooms when a login is linked or
// removed. Connect sets the three interfaces, since their implementations import this package.
//
// Goroutines: those of the gateway's Group; Stop waits for the client's. Locks: Login.mu and
// Registry.mu are leaves, not held across I/O. Login.sealing is held while a secret is written.
//
// Specifications: XEP-0100.
package logins
