// Package anonymous is what a host for clients without an account has (XEP-0175): accounts that exist as long as one connection, with an
// empty roster, and the rule with whom they communicate.
//
// Nothing of them is stored: the host has no features that keep anything. A host has either such accounts or real ones, so that a name
// cannot be both. What others keep of their conversations, such as the archive of a support team's account, is theirs.
//
// A session cannot be resumed (XEP-0198 §5): whoever logs in again is somebody else, as there is nothing to prove that it is the same client.
//
// There is no goroutine. Accounts.mu is a leaf.
//
// Specifications: XEP-0175.
package anonymous
