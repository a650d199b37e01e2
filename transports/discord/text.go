package discord

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// text returns the text of a message: its content, the messages that it forwards, the embeds and components of an
// app, its stickers, its poll and its theme.
func (s *client) text(c *objects.Channel, m *objects.Message) richtext.Text {
	p := s.parser(c, m.Mentions)
	t := p.body(m)
	for _, snapshot := range m.Snapshots {
		if f := snapshot.Message; f != nil {
			t = appendLine(t, s.forwarded(c, f))
		}
	}
	return t
}

// body is what a message shows itself.
func (p *parser) body(m *objects.Message) richtext.Text {
	var t richtext.Text
	if written(m) { // else the content is part of the notice
		t = p.parse(m.Text())
	}
	if m.Type != typePollResult {
		t = appendLine(t, p.embeds(m, m.Text() == "" || m.ByBot()))
	}
	t = appendLine(t, p.components(m.Components))
	for _, st := range m.Stickers {
		if st.Name == "" {
			continue
		}
		t = appendLine(t, richtext.FromPlain("[sticker: "+st.Name+"]"))
	}
	t = appendLine(t, poll(m.Poll))
	return appendLine(appendLine(t, theme(m)), spoilers(m))
}

// forwarded is a message that another one forwards.
func (s *client) forwarded(c *objects.Channel, m *objects.Message) richtext.Text {
	t := richtext.Text{{Text: "(forwarded)"}}
	if body := s.parser(c, m.Mentions).body(m); !body.IsEmpty() {
		t = append(t, richtext.Node{Kind: richtext.Quote, Children: body})
	}
	return t
}

// appendLine appends a text on a line of its own.
func appendLine(t, more richtext.Text) richtext.Text {
	if len(more) == 0 {
		return t
	}
	if len(t) > 0 && !t[len(t)-1].Kind.Block() && !more[0].Kind.Block() {
		t = append(t, richtext.Node{Kind: richtext.Break})
	}
	return append(t, more...)
}

func poll(p *objects.Poll) richtext.Text {
	if p == nil {
		return nil
	}
	t := richtext.FromPlain("[poll: " + p.Question.Text + "]")
	var answers richtext.Text
	for _, a := range p.Answers {
		text := a.Media.Text
		if e := a.Media.Emoji; e.ID == "" && e.Name != "" {
			text = strings.TrimSpace(e.Name + " " + text)
		}
		answers = append(answers, richtext.Node{Kind: richtext.Item, Children: richtext.FromPlain(text)})
	}
	if len(answers) > 0 {
		t = append(t, richtext.Node{Kind: richtext.List, Children: answers})
	}
	return t
}

// spoilers names the files that are to be looked at only by who wants to.
func spoilers(m *objects.Message) (t richtext.Text) {
	for _, a := range m.Attachments {
		if name, ok := strings.CutPrefix(a.Name, "SPOILER_"); ok {
			t = appendLine(t, richtext.FromPlain("[spoiler: "+name+"]"))
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
		text += " #" + shorten(color, 6)
	}
	return richtext.FromPlain(text + "]")
}

// maxColors is how many colours a theme has (docs: Shared Client Theme Object).
const maxColors = 5
