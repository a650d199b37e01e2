package command

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of ad-hoc commands, and the disco node that lists them.
const NS = "http://jabber.org/protocol/commands"

// Caller is the entity that runs a command.
type Caller struct {
	JID  jid.JID // the sender; a full JID for a session
	To   jid.JID // the address that offers the command
	Lang string
}

// Command is an action that runs in steps. Node, Name and Run are required.
type Command struct {
	Node string // unique for the address
	Name string // shown to users in a menu
	Desc string // one sentence, shown in a text dialogue
	// Hidden leaves the command out of lists; whoever knows its node can run it.
	Hidden bool
	// Direct means that the first request may have the answers to the first step, as a specification says of some commands.
	Direct bool
	// Allowed reports whether a requester may see and run it; nil allows everybody.
	Allowed func(ctx context.Context, who Caller) bool
	// Run starts the command and returns the first step.
	Run func(ctx context.Context, who Caller) (Step, error)
}

// Step is one stage of a running command.
//
// If Then is set, the step asks for input: Form, of kind form.Ask, is filled in, checked and passed to
// Then, which returns the next step. Form may be nil if the step only waits for "next". If Then is nil,
// the command has ended, and Form, if any, is of kind form.Result.
//
// Then may be called again with other answers, after "prev". If it returns a *form.FieldError, the step is
// repeated with the message; any other error ends the command.
type Step struct {
	Form  *form.Form
	Notes []Note
	Then  func(ctx context.Context, answers *form.Form) (Step, error)
	// Verify, if not nil, checks one answer of a chat when it is given, before the next question. Its error is shown to the user, who
	// answers again.
	Verify func(ctx context.Context, field, answer string) error
	// Last means that the command ends after Then, as far as is known: "complete" is offered instead of
	// "next".
	Last bool
	// NoBack forbids "prev", because the previous step cannot be undone.
	NoBack bool
	// Cancel, if not nil, is called when the command is cancelled at this step: by the caller, by a
	// timeout, or because of a limit on sessions.
	Cancel func()
	// Table means that the table of the form is sent as such, as a specification says of some commands, though not all clients show it.
	Table bool
	// Payload is added after the form, such as XEP-0066 addresses.
	Payload []*stanza.Element
	// Error is the error for callers that run the command where notes cannot be shown (in-band
	// registration).
	Error *stanza.Error
}

// NoteType is the severity of a note (XEP-0050 §4.3).
type NoteType string

// The types of notes.
const (
	Info    NoteType = "info"
	Warning NoteType = "warn"
	Failure NoteType = "error"
)

// Note is a message to the user.
type Note struct {
	Type NoteType
	Text string
}

// Done returns a last step with a message.
func Done(text string) Step { return Step{Notes: []Note{{Info, text}}} }

// Failed returns the last step of a command that has failed for a reason that the user can do something
// about (XEP-0050 §3.6).
func Failed(text string) Step { return Step{Notes: []Note{{Failure, text}}} }

// Ask returns a step that asks for one form and then ends.
func Ask(f *form.Form, then func(ctx context.Context, answers *form.Form) (Step, error)) Step {
	return Step{Form: f, Then: then, Last: true}
}

// allowed reports whether who may run c.
func (c *Command) allowed(ctx context.Context, who Caller) bool {
	return c.Allowed == nil || c.Allowed(ctx, who)
}
