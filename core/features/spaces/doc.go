// Package spaces has the ad-hoc commands of a host's publish-subscribe service by which people create spaces, rename, join and leave
// them, and add rooms to them and take them out again (XEP-0503). A space is a node, so clients that know them need no commands; these are for
// all others. The command of XEP-0060 by which owners get the subscriptions that wait for them is here too.
//
// A command makes the requests of XEP-0060 that a client would make, in the name of who has called it: the rights are those of
// the node. A room of this server whose owner adds it to a space shows that in its description.
//
// There is no goroutine; package command has the only lock.
//
// Specifications: XEP-0050, XEP-0060 §8.7, XEP-0503.
package spaces
