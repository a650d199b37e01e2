package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Kind is what the network is asked to do, as an outbox row keeps it.
type Kind string

// The kinds of requests.
const (
	None        Kind = "" // nothing that the network has to know, or typing
	SendMessage Kind = "message"
	SendEdit    Kind = "edit"
	SendDelete  Kind = "delete"
	SendReact   Kind = "react"
	SendRead    Kind = "read"
	SendTopic   Kind = "topic"
)

// Request is what a stanza asks the network to do. An outbox row keeps it as JSON.
type Request struct {
	Kind  Kind            `json:"-"`
	Parts []richtext.Text `json:"parts,omitempty"` // of a correction it is one, which is cut when it is made
	correction
	Me      bool     `json:"me,omitempty"`
	ReplyTo string   `json:"reply,omitempty"`  // a stanza's id
	Thread  string   `json:"thread,omitempty"` // a stanza's id
	Target  string   `json:"target,omitempty"` // a stanza's id, of what is changed
	First   string   `json:"-"`                // the own id of that stanza, of what is corrected
	Emoji   []string `json:"emoji,omitempty"`  // the whole set
	NewTopic
	Receipt bool    `json:"receipt,omitempty"` // the sender wants one (XEP-0184)
	Text    string  `json:"text,omitempty"`    // the beginning
	Linked  *Linked `json:"linked,omitempty"`  // where it is of a linked room
	Attached
}

// correction is how a new text is cut when it replaces one.
type correction struct {
	Limit int           `json:"limit,omitempty"` // characters of a part
	whole richtext.Text // what Parts are parts of
}

// NewTopic is the topic that a request gives a room.
type NewTopic struct {
	Topic string   `json:"topic,omitempty"`
	By    *Speaker `json:"by,omitempty"`
}

// Speaker is the occupant whom the room shows as the one who has made a change.
type Speaker struct {
	Occupant string `json:"occupant"` // occupant id
	Nick     string `json:"nick"`
}

// Attached are the files of a message.
type Attached struct {
	Files SentFiles `json:"files,omitempty"`
	Steps string    `json:"steps,omitempty"` // transports.Steps.Done of the part with the files
}

// Linked is where a request of a linked room is from.
type Linked struct {
	Link int64  `json:"link"`
	Nick string `json:"nick"` // of its author there
	// Moderated is set where a moderator of the room removes a message, whose author may be anybody.
	Moderated bool `json:"moderated,omitempty"`
	// Content is the payload with which the channel's room is told of that, once the network has removed the message.
	Content string `json:"content,omitempty"`
}

// Parser reads stanzas for one network.
type Parser struct {
	Info    transports.Info
	MaxText int // bytes of a text that is accepted
	// All lets the sender alert everybody: what a mention of all in the room refers to (XEP-0513 §3.2.1.1).
	All bool
	// Who is somebody of the network whom a message refers to; nil where nobody is known.
	Who func(Referred) (transports.UserID, bool)
}

// Parse finds out what a stanza asks for. subject is not nil where the stanza changes the room's. Errors
// are *stanza.Error for the sender.
func (p Parser) Parse(st *stanza.Stanza, subject *string) (Request, error) {
	switch {
	case subject != nil:
		return p.topic(*subject)
	case Encrypted(st):
		return Request{}, stanza.NotAcceptable(p.Info.Name + " cannot read encrypted messages. Please turn encryption off here.")
	case st.Child(NSRetract, "retract") != nil:
		return Request{Kind: SendDelete, Target: st.Child(NSRetract, "retract").Attr("id")}, nil
	case st.Child(NSReactions, "reactions") != nil:
		return p.reactions(st.Child(NSReactions, "reactions"))
	case st.Child(NSCorrect, "replace") != nil && st.Child("", "body") != nil:
		r, err := p.text(st)
		r.Kind, r.Target = SendEdit, st.Child(NSCorrect, "replace").Attr("id")
		return r, err
	case st.Child("", "body") != nil:
		return p.text(st)
	case st.Child(NSMarkers, "displayed") != nil && p.Info.Caps.Read:
		return Request{Kind: SendRead, Target: st.Child(NSMarkers, "displayed").Attr("id")}, nil
	}
	return Request{}, nil
}

// Encrypted reports whether the message is encrypted and its body only a notice for clients that cannot decrypt it
// (XEP-0380).
func Encrypted(st *stanza.Stanza) bool {
	for e := range st.Tree().Elements() {
		switch e.Space {
		case "urn:xmpp:eme:0", "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:openpgp:0", "jabber:x:encrypted":
			return true
		}
	}
	return false
}

// topic returns the request to change the room's topic (XEP-0045 §8.1).
func (p Parser) topic(topic string) (Request, error) {
	if !p.Info.Caps.CanChange(transports.ChangeTopic) {
		return Request{}, stanza.Forbidden("The topic cannot be changed from here. Please change it on " + p.Info.Name + ".") // XEP-0045 §8.1
	}
	return Request{Kind: SendTopic, NewTopic: NewTopic{Topic: topic}}, nil
}

// reactions is the sender's whole set of reactions to a message (XEP-0444).
func (p Parser) reactions(x *stanza.Element) (Request, error) {
	if !p.Info.Caps.React {
		return Request{}, stanza.FeatureNotImplemented(p.Info.Name + " has no reactions.")
	}
	r := Request{Kind: SendReact, Target: x.Attr("id")}
	for e := range x.Named(NSReactions, "reaction") {
		emoji := richtext.NormalEmoji(e.Text())
		if emoji == "" || len(emoji) > MaxName || len(r.Emoji) >= MaxReactions {
			return Request{}, stanza.NotAcceptable("These reactions cannot be sent.")
		}
		if !slices.Contains(r.Emoji, emoji) {
			r.Emoji = append(r.Emoji, emoji)
		}
	}
	limits := p.Info.Caps.Limits
	if most := limits.MaxReactions; most > 0 && len(r.Emoji) > most {
		return Request{}, stanza.NotAcceptable(fmt.Sprintf("%s allows %d reactions of one person to a message.", p.Info.Name, most))
	}
	for _, emoji := range r.Emoji {
		if len(limits.Reactions) > 0 && !slices.ContainsFunc(limits.Reactions, func(e string) bool { return richtext.NormalEmoji(e) == emoji }) {
			return Request{}, stanza.NotAcceptable(p.Info.Name + " does not allow the reaction " + emoji + " here.")
		}
	}
	return r, nil
}

// text is a message's text without its fallbacks, cut into what the network takes.
func (p Parser) text(st *stanza.Stanza) (Request, error) {
	text := st.Body()
	if len(text) > p.MaxText {
		return Request{}, stanza.TooLong("message", text, p.MaxText)
	}
	r := Request{Kind: SendMessage}
	var changes []change
	if x := st.Child(NSReply, "reply"); x != nil && x.Attr("id") != "" {
		r.ReplyTo = x.Attr("id")
		if p.Info.Caps.Reply { // else the quotation is all that is shown of it
			changes = fallbacks(st, NSReply)
		}
	}
	withFiles := p.Info.Caps.Files.Size > 0
	if withFiles {
		changes = append(changes, p.fileFallbacks(st, text)...)
	}
	text, people := p.mentions(st, text, changes)
	r.Thread = CutBytes(st.Tree().ChildText("", "thread"), MaxID)
	if rest, ok := strings.CutPrefix(text, "/me "); ok { // XEP-0245
		text, r.Me = rest, true
	}
	if withFiles {
		text, r.Files = p.files(st, text)
	}
	text = strings.TrimRight(text, "\n")
	if strings.TrimSpace(text) == "" && len(r.Files) > 0 {
		r.Text, r.Parts = r.Files[0].Name, []richtext.Text{nil}
		r.Receipt = st.Child(NSReceipts, "request") != nil && st.ID != ""
		return r, nil
	}
	if strings.TrimSpace(text) == "" {
		return Request{}, stanza.BadRequest("This message is empty.")
	}
	r.whole = richtext.ParseStyling(text)
	if len(people) > 0 {
		text = asWritten(unmark(text, people))
		r.whole = withMentions(r.whole, people)
	}
	r.Text = Snippet(text)
	r.Parts = p.cut(r.whole)
	if len(r.Parts) > MaxParts {
		return Request{}, stanza.NotAcceptable(fmt.Sprintf("This message is too long: its %s characters would become more than %d messages of %s characters, which is the longest that %s takes.",
			stanza.Thousands(utf8.RuneCountInString(text)), MaxParts, stanza.Thousands(p.Info.Caps.MaxText), p.Info.Name))
	}
	r.Receipt = st.Child(NSReceipts, "request") != nil && st.ID != ""
	return r, nil
}

// cut divides a text into parts that the network takes. Where there are more than MaxParts, the last one has all the rest.
func (p Parser) cut(t richtext.Text) []richtext.Text {
	return richtext.Cutter{Limit: p.Info.Caps.MaxText, Parts: MaxParts + 1, Length: p.Info.Caps.Length}.Split(t)
}

// AsMessage makes a new message of a correction, for a network that has no edits.
func (r Request) AsMessage() Request {
	r.Kind, r.Target = SendMessage, ""
	r.Parts[0] = append(richtext.Text{{Text: "(corrected) "}}, r.Parts[0]...)
	return r
}

// FitEdit makes one part of a correction. What an edit can hold is found out when it is made.
func (p Parser) FitEdit(r Request) Request {
	if r.whole != nil {
		r.Parts = []richtext.Text{r.whole}
	}
	r.Limit = p.maxEdit()
	return r
}

// maxEdit is how many characters a correction may have; zero is no limit.
func (p Parser) maxEdit() int {
	most := p.Info.Caps.MaxText
	if limit := p.Info.Caps.MaxEdit; limit > 0 && (most == 0 || limit < most) {
		most = limit
	}
	return most
}

// mentions makes changes to a text, and puts marks where it mentions somebody of the network.
func (p Parser) mentions(st *stanza.Stanza, text string, changes []change) (marked string, people []richtext.Node) {
	runes := []rune(text)
	for _, m := range p.referred(st) {
		if m.end > len(runes) {
			continue
		}
		written := string(runes[m.begin:m.end])
		n := richtext.Node{Kind: richtext.Mention, ID: string(m.user), Text: written}
		if m.all != "" {
			if !allWords[strings.ToLower(strings.TrimPrefix(written, "@"))] { // it would vanish
				continue
			}
			n = richtext.Node{Kind: richtext.All, ID: written, Text: m.all}
		}
		changes = append(changes, change{m.begin, m.end, mark(len(people))})
		people = append(people, n)
	}
	text = changed(text, changes)
	if len(people) > 0 {
		return text, people
	}
	if m, ok := p.addressed(text); ok {
		runes = []rune(text)
		people = append(people, richtext.Node{Kind: richtext.Mention, ID: string(m.user), Text: string(runes[:m.end])})
		text = mark(0) + string(runes[m.end:])
	}
	return text, people
}

// fallbacks are the parts of a body that are meant for clients that do not know ns (XEP-0428 §3).
func fallbacks(st *stanza.Stanza, ns string) (list []change) {
	for f := range st.Tree().Named(NSFallback, "fallback") {
		if f.Attr("for") != ns {
			continue
		}
		for b := range f.Named(NSFallback, "body") {
			start, err1 := strconv.Atoi(b.Attr("start"))
			end, err2 := strconv.Atoi(b.Attr("end"))
			if err1 == nil && err2 == nil && start >= 0 {
				list = append(list, change{begin: start, end: end})
			}
		}
	}
	return list
}

// TypingState reports whether a stanza has a chat state, and whether that is composing (XEP-0085).
func TypingState(st *stanza.Stanza) (on, off bool) {
	if st.Child(NSStates, "composing") != nil {
		return true, false
	}
	for _, state := range []string{"paused", "active", "inactive", "gone"} {
		if st.Child(NSStates, state) != nil {
			return false, true
		}
	}
	return false, false
}
