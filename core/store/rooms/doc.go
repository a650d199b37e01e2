// Package rooms has the tables of the rooms of the server (XEP-0045): what is known of each, and the affiliations of addresses. It
// implements the stores of features/conference.
//
// What belongs to a room refers to it by a foreign key. What an account is in rooms is deleted by a function of OnDeleteAccount, in
// the transaction that deletes the account: whoever registers the name later has none of its rights.
//
// The words of archived messages are indexed (XEP-0431) in the background, by the goroutine of the server that package indexing belongs to; what
// is retracted, deleted or of a destroyed room leaves the index. The lock of fresh, by which that goroutine learns what is new, is a leaf.
// There are no goroutines here.
package rooms
