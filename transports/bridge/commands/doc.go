// Package commands is the user interface of a gateway: ad-hoc commands (XEP-0050), a chat with the
// gateway's address, and registration (XEP-0077). All of them call the use cases of logins and
// inbox. It also answers the other requests to the gateway itself.
//
// An action (actions.go) is offered as a command and as a word of the chat. Linking (linking.go) shows the
// steps of logins.Process as forms; registration takes the first of them as its form and goes on by
// messages.
//
// Goroutines: one of the gateway's Group for each chat that has lines to answer. Locks:
// dialogues.mu → gateway.Group; not held across I/O.
//
// Specifications: XEP-0012, 0030, 0050, 0054, 0059, 0077, 0092, 0100, 0115, 0199, 0232.
package commands
