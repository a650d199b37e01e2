package discord

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// text returns the text of a message: its content, the messages that it forwards, the embeds and components of an
// app, its stickers and its poll.
func (s *client) text(c *objects.Channel, m *objects.Message) richtext.Text {
	if m.Type == typeThreadCreated {
		return nil // the content is the thread's name
	}
	p := s.parser(c, m.Mentions)
	t := p.parse(m.Text())
	add := func(more richtext.Text) {
		if len(more) == 0 {
			return
		}
		if len(t) > 0 {
			t = append(t, richtext.Node{Kind: richtext.Break})
		}
		t = append(t, more...)
	}
	for _, snapshot := range m.Snapshots {
		if f := snapshot.Message; f != nil {
			add(richtext.Text{{Text: "(forwarded)"}, {Kind: richtext.Quote, Children: append(p.parse(f.Text()), p.embeds(f, true)...)}})
		}
	}
	add(p.embeds(m, m.Text() == "" || m.ByBot()))
	add(p.components(m.Components))
	for _, st := range m.Stickers {
		add(richtext.FromPlain("[sticker: " + st.Name + "]"))
	}
	if m.Poll != nil {
		var answers richtext.Text
		for _, a := range m.Poll.Answers {
			answers = append(answers, richtext.Node{Kind: richtext.Item, Children: richtext.FromPlain(a.Media.Text)})
		}
		add(richtext.FromPlain("[poll: " + m.Poll.Question.Text + "]"))
		if len(answers) > 0 {
			t = append(t, richtext.Node{Kind: richtext.List, Children: answers})
		}
	}
	return t
}

// embeds returns the text of a message's embeds. show is false for a message of a person with content: its embeds
// are previews of the links in it. The same holds for an embed that is not "rich" beside content.
func (p *parser) embeds(m *objects.Message, show bool) richtext.Text {
	if !show {
		return nil
	}
	var t richtext.Text
	for _, e := range m.Embeds {
		if e.Type != "rich" && m.Text() != "" {
			continue
		}
		var lines []richtext.Text
		if e.Author.Name != "" {
			lines = append(lines, richtext.FromPlain(e.Author.Name))
		}
		title := p.line(e.Title)
		switch {
		case e.URL != "" && (len(title) > 0 || e.Description == ""):
			lines = append(lines, richtext.Text{{Kind: richtext.Link, URL: e.URL, Children: title}})
		case len(title) > 0:
			lines = append(lines, richtext.Text{{Kind: richtext.Bold, Children: title}})
		}
		if e.Description != "" {
			lines = append(lines, p.parse(e.Description))
		}
		for _, f := range e.Fields {
			lines = append(lines, append(richtext.Text{{Kind: richtext.Bold, Children: p.line(f.Name)}, {Text: ": "}}, p.parse(f.Value)...))
		}
		if e.Image.URL != "" && e.Image.URL != e.URL {
			lines = append(lines, richtext.Text{{Kind: richtext.Link, URL: e.Image.URL}})
		}
		if e.Footer.Text != "" {
			lines = append(lines, richtext.FromPlain(e.Footer.Text))
		}
		for _, line := range lines {
			if len(t) > 0 {
				t = append(t, richtext.Node{Kind: richtext.Break})
			}
			t = append(t, line...)
		}
	}
	return t
}

// Limits of a message's components: how many are read, and to what depth.
const (
	maxComponents     = 200
	maxComponentDepth = 6
)

// componentText is the type of a Text Display (docs: Component Reference).
const componentText = 10

// components returns the texts and the links of galleries of a message's components (docs: Component Reference).
func (p *parser) components(raw json.RawMessage) richtext.Text {
	if len(raw) == 0 || string(raw) == "[]" || string(raw) == "null" {
		return nil
	}
	var t richtext.Text
	left := maxComponents
	var walk func(raw json.RawMessage, depth int)
	walk = func(raw json.RawMessage, depth int) {
		var list []struct {
			Type       int             `json:"type"`
			Content    string          `json:"content"`
			Components json.RawMessage `json:"components"`
			Items      []struct {
				Media struct {
					URL string `json:"url"`
				} `json:"media"`
			} `json:"items"`
		}
		if depth == 0 || len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
			return
		}
		for _, c := range list {
			if left--; left < 0 {
				return
			}
			var some richtext.Text
			if c.Type == componentText {
				some = p.parse(c.Content)
			}
			for _, i := range c.Items { // of a Media Gallery
				if strings.HasPrefix(i.Media.URL, "https://") {
					some = append(some, richtext.Node{Kind: richtext.Link, URL: i.Media.URL}, richtext.Node{Kind: richtext.Break})
				}
			}
			if len(some) > 0 && len(t) > 0 {
				t = append(t, richtext.Node{Kind: richtext.Break})
			}
			t = append(t, some...)
			walk(c.Components, depth-1)
		}
	}
	walk(raw, maxComponentDepth)
	return t
}

// files returns the attachments of a message and of the messages that it forwards. An attachment's URL is valid for a
// day (docs: Signed Attachment CDN URLs), its Ref for as long as the message exists.
func files(m *objects.Message) []transports.File {
	attachments := m.Attachments
	for _, snapshot := range m.Snapshots {
		if snapshot.Message != nil {
			attachments = append(attachments[:len(attachments):len(attachments)], snapshot.Message.Attachments...)
		}
	}
	var list []transports.File
	for _, a := range attachments {
		name := a.Name
		if a.Title != "" && !strings.Contains(a.Title, ".") { // the title is the name without its extension, before Discord replaced characters in it
			name = a.Title + extension(a.Name)
		}
		list = append(list, transports.File{
			ID: a.ID, Name: name, MIME: a.MIME, Size: a.Size, URL: a.URL, Ref: m.ChannelID + "/" + m.ID + "/" + a.ID,
			Width: a.Width, Height: a.Height, Alt: a.Alt, Duration: int(a.Duration),
		})
	}
	return list
}

func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
