// Package rooms has the tables of the rooms of the server (XEP-0045): what is known of each, and the affiliations of addresses. It
// implements the stores of features/conference.
//
// What belongs to a room refers to it by a foreign key. What an account is in rooms is deleted by a function of OnDeleteAccount, in
// the transaction that deletes the account: whoever registers the name later has none of its rights.
//
// It has no goroutines and no locks.
package rooms
