// Package spaces has the ad-hoc commands of a host's publish-subscribe service with which accounts create, rename, join and leave spaces, and
// add and remove the rooms of a space (XEP-0503). A space is a node: clients that support XEP-0503 need no commands; these are for all
// others. The command of XEP-0060 by which owners get the subscriptions that wait for them is here too.
//
// A command makes the requests of XEP-0060 that a client would make, as the account that has called it, so that the node decides what it may
// do. A room of this server whose owner adds it to a space names that space in its disco information.
//
// There is no goroutine; package command has the only lock.
//
// Specifications: XEP-0050, XEP-0060 §8.7, XEP-0503.
package spaces
