package command

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of ad-hoc commands, and the disco node that lists them.
const NS = "http://jabber.org/protocol/commands"

// Caller is who runs a command.
type Caller struct {
	JID  jid.JID // as it came; a full JID where it is a session
	To   jid.JID // the address whose command it is
	Lang string
}

// Command is something that can be done in steps. Node and Name are needed, and Run.
type Command struct {
	Node string // unique for the address
	Name string // for people, in a menu
	Desc string // one sentence, for users who run it in text
	// Allowed reports whether a requester may see and run it; nil allows everybody.
	Allowed func(ctx context.Context, who Caller) bool
	// Run begins it and gives the first step.
	Run func(ctx context.Context, who Caller) (Step, error)
}

// Step is where a command has got to.
//
// A step with Then asks: its Form, of kind form.Ask, is filled in, checked against Form,
// and given to Then, which makes the next step. Form may be nil where it only waits for
// "next". A step without Then is the end; its Form, if any, is of kind form.Result.
//
// Then may be called again with other answers, after "prev". It returns a
// *form.FieldError where an answer is wrong, and the same step is asked again; any other
// error ends the command.
type Step struct {
	Form  *form.Form
	Notes []Note
	Then  func(ctx context.Context, answers *form.Form) (Step, error)
	// Last says that what Then does is the end, as far as one can know: "complete" is
	// offered in place of "next".
	Last bool
	// NoBack forbids "prev" from here, because the step before has had its effect.
	NoBack bool
	// Cancel, where it is not nil, is called when the command is cancelled at this step:
	// by the caller, by a timeout or because of too many others.
	Cancel func()
	// Payload is sent behind the form, such as XEP-0066 addresses.
	Payload []*stanza.Element
	// Error is what a failure is to users who run the command where notes cannot be shown.
	Error *stanza.Error
}

// NoteType is how grave a note is (XEP-0050 §4.3).
type NoteType string

// The types of notes.
const (
	Info    NoteType = "info"
	Warning NoteType = "warn"
	Failure NoteType = "error"
)

// Note is a sentence for the person.
type Note struct {
	Type NoteType
	Text string
}

// Done is the last step of a command that has nothing to show but a sentence.
func Done(text string) Step { return Step{Notes: []Note{{Info, text}}} }

// Failed is the last step of a command that did not work, for a reason that the person
// can do something about (XEP-0050 §3.6).
func Failed(text string) Step { return Step{Notes: []Note{{Failure, text}}} }

// Ask is a step that asks for a form once and is then at its end.
func Ask(f *form.Form, then func(ctx context.Context, answers *form.Form) (Step, error)) Step {
	return Step{Form: f, Then: then, Last: true}
}

// allowed reports whether who may run c.
func (c *Command) allowed(ctx context.Context, who Caller) bool {
	return c.Allowed == nil || c.Allowed(ctx, who)
}
