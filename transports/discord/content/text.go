package content

import (
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Text returns the text of a message: its content, the messages that it forwards, the embeds and components of an
// app, its stickers, its poll and its theme.
func Text(st *state.State, c *objects.Channel, m *objects.Message) richtext.Text {
	t := NewReader(st, c, m).Body(m)
	for _, snapshot := range m.Snapshots {
		if f := snapshot.Message; f != nil {
			t = AppendLine(t, forwarded(NewReader(st, c, f), f))
		}
	}
	return t
}

// Body is what a message shows itself.
func (p *Reader) Body(m *objects.Message) richtext.Text {
	var t richtext.Text
	if Written(m) { // else the content is part of the notice
		t = p.Parse(m.Text())
	}
	if m.Type != TypePollResult {
		t = AppendLine(t, p.embeds(m))
	}
	t = AppendLine(t, p.components(m))
	for _, st := range m.Stickers {
		if st.Name == "" {
			continue
		}
		t = AppendLine(t, richtext.FromPlain("[sticker: "+st.Name+"]"))
	}
	t = AppendLine(t, poll(m.Poll))
	return AppendLine(AppendLine(t, theme(m)), spoilers(m))
}

// forwarded is a message that another one forwards.
func forwarded(p *Reader, m *objects.Message) richtext.Text {
	t := richtext.Text{{Text: "(forwarded)"}}
	if body := p.Body(m); !body.IsEmpty() {
		t = append(t, richtext.Node{Kind: richtext.Quote, Children: body})
	}
	return t
}

// AppendLine appends a text on a line of its own.
func AppendLine(t, more richtext.Text) richtext.Text {
	if len(more) == 0 {
		return t
	}
	if len(t) > 0 && !t[len(t)-1].Kind.Block() && !more[0].Kind.Block() {
		t = append(t, richtext.Node{Kind: richtext.Break})
	}
	return append(t, more...)
}

// poll is the question, and the answers with the votes that they have.
func poll(p *objects.Poll) richtext.Text {
	if p == nil {
		return nil
	}
	votes := map[int]int{}
	head := "[poll: " + p.Question.Text
	if r := p.Results; r != nil {
		for _, c := range r.Counts {
			votes[c.ID] = max(c.Count, 0)
		}
		if r.Finalized {
			head += " (ended)"
		}
	}
	if p.Multiple {
		head += " (several answers)"
	}
	var answers richtext.Text
	for _, a := range p.Answers[:min(len(p.Answers), maxAnswers)] {
		text := a.Media.Text
		switch e := a.Media.Emoji; {
		case e.ID == "" && e.Name != "":
			text = strings.TrimSpace(e.Name + " " + text)
		case e.Name != "":
			text = strings.TrimSpace(":" + e.Name + ": " + text)
		}
		if n := votes[a.ID]; n > 0 {
			text += " (" + strconv.Itoa(n) + ")"
		}
		answers = append(answers, richtext.Node{Kind: richtext.Item, Children: richtext.FromPlain(text)})
	}
	t := richtext.FromPlain(head + "]")
	if len(answers) > 0 {
		t = append(t, richtext.Node{Kind: richtext.List, Children: answers})
	}
	return t
}

// maxAnswers is how many answers of a poll are read (docs: Poll Create Request Object: 10).
const maxAnswers = 50

// spoilers names the files that are to be looked at only by who wants to.
func spoilers(m *objects.Message) (t richtext.Text) {
	for _, a := range m.Attachments {
		if name, ok := strings.CutPrefix(a.Name, "SPOILER_"); ok {
			t = AppendLine(t, richtext.FromPlain("[spoiler: "+name+"]"))
		}
	}
	return t
}

// theme is a client's colours, which somebody shares.
func theme(m *objects.Message) richtext.Text {
	if len(m.Theme) == 0 {
		return nil
	}
	var shared struct {
		Colors []string `json:"colors"`
	}
	_, _ = lenientjson.Unmarshal(m.Theme, &shared) // it was decoded with the message
	text := "[a theme of the client"
	for i, color := range shared.Colors[:min(len(shared.Colors), maxColors)] {
		if i == 0 {
			text += ":"
		}
		text += " #" + Shorten(color, 6)
	}
	return richtext.FromPlain(text + "]")
}

// maxColors is how many colours a theme has (docs: Shared Client Theme Object).
const maxColors = 5

// Types of messages that somebody writes (docs: Message Types), and that of a poll's result, whose embed has no text.
const (
	TypeDefault     = int(discordgo.MessageTypeDefault)
	TypeReply       = int(discordgo.MessageTypeReply)
	TypeCommand     = int(discordgo.MessageTypeChatInputCommand)
	TypeContextMenu = int(discordgo.MessageTypeContextMenuCommand)
	TypePollResult  = 46
)

// Written reports whether somebody wrote a message, and not Discord itself.
func Written(m *objects.Message) bool {
	switch m.Type {
	case TypeDefault, TypeReply, TypeCommand, TypeContextMenu:
		return true
	}
	return false
}
