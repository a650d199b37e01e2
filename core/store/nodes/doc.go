// Package nodes has the tables of publish-subscribe nodes (XEP-0060). It implements pubsub.Store. What belongs to an
// account refers to it by a foreign key; what an account has at others is deleted by a function of OnDeleteAccount.
//
// It has no goroutines and no locks.
package nodes
