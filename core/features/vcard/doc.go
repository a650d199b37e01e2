// Package vcard stores the vCard of each account and returns it to those who request it (XEP-0054). The same data is the account's
// vCard4, at a node (XEP-0292): what is stored in one format is converted to the other when it is written, by package vcard4. Others
// read a vCard only as far as they may read the node.
//
// The card of an account can also be kept elsewhere (Others), in a directory of people: it is shown where the account has stored none, or
// instead, also to those who ask for the items of the node. It is not written there, and nobody is notified of its changes.
//
// What this package publishes is marked and never converted back. It has no goroutine and no lock.
//
// Specifications: XEP-0054, XEP-0292.
package vcard
