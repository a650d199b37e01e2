// Package echo is the smallest network that works: people and rooms in memory, and a parrot that
// repeats what one writes to it. It is the template for further networks; README.md leads through writing
// one.
//
// register.go offers the network to a main, with its section of the configuration. echo.go is what the
// contract asks for: a network, a login, and an open connection, which in a real network talks to a library
// in the place of broadcast and push. The rules that the bridge relies on are numbered in the comments:
//
//  1. ids are the network's own and never change; they are unique within the kind of network
//  2. an event has the same Key whenever and by whichever login it comes
//  3. events reach the Sink in the order of the network, and one that was not kept is delivered again
//  4. an error has a class: Later, Relink, Refuse, or an Error of class Unknown
//  5. Close returns when no goroutine is left
package echo
