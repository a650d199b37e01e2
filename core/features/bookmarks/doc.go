// Package bookmarks gives the bookmarks of an account (XEP-0402) to clients that keep them in another way, and takes theirs
// over: in private XML (XEP-0048 version 1.1, XEP-0049), and in one item of a node (XEP-0048 version 1.2).
//
// The items of the node urn:xmpp:bookmarks:1 are what counts. Private XML is made of them when it is asked for; the node
// storage:bookmarks is written after each of their changes, in the mailbox of the account's nodes. There is no state.
//
// Specifications: XEP-0402, XEP-0048.
package bookmarks
