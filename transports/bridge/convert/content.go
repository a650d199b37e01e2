package convert

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Body is the text of a message.
func Body(text string) *stanza.Element { return stanza.TextElement("", "body", text) }

// fallback marks the whole body as meant for clients that do not know ns (XEP-0428).
func fallback(ns string) *stanza.Element {
	return stanza.NewElement(NSFallback, "fallback").With("for", ns).Add(stanza.NewElement(NSFallback, "body"))
}

// Reference is the id by which others refer to a message: in rooms that of the archive, in
// direct chats that of the stanza (XEP-0461 §3, XEP-0424 §3, XEP-0444 §3).
func Reference(direct bool, m tables.Mapping) string {
	if direct {
		return m.Origin
	}
	return m.Stanza
}

// Quoted is a message that is answered.
type Quoted struct {
	ID     string // as Reference gives it
	From   string // address of its author; "" where it is not known
	Author string // name
	Text   string // the beginning
}

// MessageText is the text of a new message, in at most about limit bytes.
func MessageText(m transports.Message, limit int) Rendered {
	rendered := Text(m.Text, m.Files, limit)
	if m.Location != nil {
		line := locationLine(m.Location)
		if m.Text.IsEmpty() && len(m.Files) == 0 {
			rendered = Rendered{Text: line}
		} else {
			rendered.Text += "\n" + line
		}
	}
	if m.Me {
		rendered = rendered.behind("/me ") // XEP-0245
	}
	return rendered
}

// Message is the content of a new message with its text. to is the message that it answers (XEP-0461), or nil. who are those whom
// it mentions.
func Message(m transports.Message, rendered Rendered, to *Quoted, thread string, who Mentioned) []*stanza.Element {
	var content []*stanza.Element
	if to != nil {
		rendered, content = reply(rendered, *to)
	}
	content = append([]*stanza.Element{Body(rendered.Text)}, content...)
	content = append(content, rendered.markup(), oob(m.Text, m.Files))
	content = append(content, who.elements(rendered)...)
	content = append(content, sharing(rendered.Text, m.Files, m.Text.IsEmpty())...)
	if thread != "" {
		content = append(content, stanza.TextElement("", "thread", thread)) // XEP-0201
	}
	return content
}

func reply(rendered Rendered, to Quoted) (Rendered, []*stanza.Element) {
	x := stanza.NewElement(NSReply, "reply").With("id", to.ID).With("to", to.From)
	q, n := quote(to.Author, to.Text)
	if n == 0 {
		return rendered, []*stanza.Element{x}
	}
	return rendered.behind(q), []*stanza.Element{
		x,
		stanza.NewElement(NSFallback, "fallback").With("for", NSReply).
			Add(stanza.NewElement(NSFallback, "body").With("start", "0").With("end", strconv.Itoa(n))),
	}
}

// Correction is the content of a new text of the message whose stanza has the id origin (XEP-0308).
func Correction(e transports.Edit, rendered Rendered, origin string, who Mentioned) []*stanza.Element {
	return append(edited(e, rendered, who), stanza.NewElement(NSCorrect, "replace").With("id", origin))
}

// UnknownEdit is the content of an edit of a message that was never shown.
func UnknownEdit(e transports.Edit, rendered Rendered, who Mentioned) []*stanza.Element {
	return edited(e, rendered.behind("(edited) "), who)
}

// edited is the content of the new text of a message.
func edited(e transports.Edit, rendered Rendered, who Mentioned) []*stanza.Element {
	content := append([]*stanza.Element{Body(rendered.Text), rendered.markup(), oob(e.Text, e.Files)}, who.elements(rendered)...)
	return append(content, sharing(rendered.Text, e.Files, e.Text.IsEmpty())...)
}

// Retraction is the content by which an author removes a message (XEP-0424).
func Retraction(id string) []*stanza.Element {
	return []*stanza.Element{
		stanza.NewElement(NSRetract, "retract").With("id", id),
		Body("/me retracted a message, but your client does not show that."), fallback(NSRetract), message.Store.Element(),
	}
}

// Moderator is who removes a message of somebody else.
type Moderator struct {
	Address  string // room/nick
	Occupant string // occupant id
	Name     string
}

// Moderation is the content by which a room removes a message (XEP-0425 §4).
func Moderation(id string, by Moderator) []*stanza.Element {
	moderated := stanza.NewElement(NSModerate, "moderated").With("by", by.Address).
		Add(stanza.NewElement(NSOccupantID, "occupant-id").With("id", by.Occupant))
	return []*stanza.Element{
		stanza.NewElement(NSRetract, "retract").With("id", id).Add(moderated),
		Body(by.Name + " removed a message, but your client does not show that."), fallback(NSRetract), message.Store.Element(),
	}
}

// Tombstone is what is left of a message in the archive of a room that a retraction with an id has removed (XEP-0424 §4). content is that of a
// moderator's removal (XEP-0425 §5); it must not be what somebody else has written.
func Tombstone(id string, at time.Time, content ...*stanza.Element) string {
	x := stanza.NewElement(NSRetract, "retracted").With("stamp", message.Stamp(at))
	for _, e := range content {
		if moderated := e.Child(NSModerate, "moderated"); e.Is(NSRetract, "retract") && moderated != nil {
			return stanza.Encode(x.Add(moderated.Clone()))
		}
	}
	return stanza.Encode(x.With("id", id))
}

// Removed reports whether nothing but a tombstone is left of a message in the archive of a room.
func Removed(payload string) bool {
	st := stanza.Stanza{Kind: stanza.Message, Payload: payload}
	return payload == "" || st.MayHave(NSRetract, "retracted") && st.Child(NSRetract, "retracted") != nil
}

// Reactions is the content with all reactions of a person to a message (XEP-0444 §3.2).
func Reactions(id string, set []string) []*stanza.Element {
	x := stanza.NewElement(NSReactions, "reactions").With("id", id)
	for _, emoji := range set {
		x.Add(stanza.TextElement(NSReactions, "reaction", emoji))
	}
	return []*stanza.Element{x, message.Store.Element()}
}

// ReactionSet makes a set of a network's reactions: each once and in its normal form, no more than MaxReactions.
func ReactionSet(list []string) (set []string) {
	for _, e := range list {
		if e = richtext.NormalEmoji(e); e != "" && len(e) <= MaxName && !slices.Contains(set, e) && len(set) < MaxReactions {
			set = append(set, e)
		}
	}
	return set
}

// Shown is a stanza as others are shown it. Of reactions it has the set that was read from it, in which none is there in two
// forms, and a correction names the first version (XEP-0308 §4), not an earlier correction.
func Shown(st *stanza.Stanza, r Request) *stanza.Stanza {
	switch r.Kind {
	case SendReact:
		x := st.Child(NSReactions, "reactions")
		var written []string
		for e := range x.Named(NSReactions, "reaction") {
			written = append(written, e.Text())
		}
		if !slices.Equal(written, r.Emoji) {
			return instead(st, Reactions(x.Attr("id"), r.Emoji)[0])
		}
	case SendEdit:
		if x := st.Child(NSCorrect, "replace"); r.First != "" && x.Attr("id") != r.First {
			return instead(st, stanza.NewElement(NSCorrect, "replace").With("id", r.First))
		}
	}
	return st
}

// instead is a stanza with an element instead of those of its name.
func instead(st *stanza.Stanza, x *stanza.Element) *stanza.Stanza {
	return st.Without(func(e *stanza.Element) bool { return e.Is(x.Space, x.Local) }).With(x)
}

// Displayed says how far somebody has read (XEP-0333).
func Displayed(id string) *stanza.Element {
	return stanza.NewElement(NSMarkers, "displayed").With("id", id)
}

// Markable asks the receiver's client to say that it has shown the message (XEP-0333).
func Markable() *stanza.Element { return stanza.NewElement(NSMarkers, "markable") }

// Typing is the content that says that somebody writes, or has stopped (XEP-0085).
func Typing(on bool) []*stanza.Element {
	state := "paused"
	if on {
		state = "composing"
	}
	return []*stanza.Element{stanza.NewElement(NSStates, state), message.NoStore.Element()}
}

// Call returns the content of a message about a call that began or ended.
func Call(c transports.Call) *stanza.Element {
	text := "A call has begun."
	if c.Ended {
		text = "The call has ended."
	} else if c.URL != "" && len(c.URL) < MaxURL {
		text = "A call has begun: " + c.URL
	}
	return Body(text)
}

// Receipt says that the network has a message (XEP-0184).
func Receipt(id string) *stanza.Element {
	return stanza.NewElement(NSReceipts, "received").With("id", id)
}

// PollText is a poll in words.
func PollText(p transports.Poll) string {
	lines := []string{"Poll: " + OneLine(p.Question)}
	if p.Ended {
		lines[0] = "The poll has ended: " + OneLine(p.Question)
	}
	for _, o := range p.Options {
		line := "• " + OneLine(o.Text)
		if o.Votes > 0 {
			line += " (" + strconv.Itoa(o.Votes) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
