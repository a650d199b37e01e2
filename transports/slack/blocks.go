package slack

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxBlockDepth bounds how deep a rich text may be nested.
const maxBlockDepth = 16

// text is the text of a message: from its rich_text block where a person wrote it, else from its
// mrkdwn, and from attachments where that is all.
func (s *client) text(m *rawMessage) richtext.Text {
	if t, ok := s.blocks(m.Blocks); ok {
		return t
	}
	t := s.parse(m.Text)
	if t.IsEmpty() {
		var attachments []struct {
			Fallback, Pretext, Title, Text string
		}
		_ = json.Unmarshal(m.Attachments, &attachments) // what is none of these has no text
		for _, a := range attachments {
			for _, part := range []string{a.Pretext, a.Title, a.Text} {
				if part != "" {
					t = append(t, s.parse(part)...)
					t = append(t, richtext.Node{Kind: richtext.Break})
				}
			}
			if a.Pretext+a.Title+a.Text == "" && a.Fallback != "" {
				t = append(t, s.parse(a.Fallback)...)
				t = append(t, richtext.Node{Kind: richtext.Break})
			}
		}
		if n := len(t); n > 0 && t[n-1].Kind == richtext.Break {
			t = t[:n-1]
		}
	}
	return t
}

// element is any element of a rich_text block.
type element struct {
	Type     string    `json:"type"`
	Elements []element `json:"elements"`
	Text     string    `json:"text"`
	URL      string    `json:"url"`
	UserID   string    `json:"user_id"`
	Channel  string    `json:"channel_id"`
	Group    string    `json:"usergroup_id"`
	Range    string    `json:"range"`
	Name     string    `json:"name"`
	Unicode  string    `json:"unicode"`
	Fallback string    `json:"fallback"`
	Offset   int       `json:"offset"`
	Style    listStyle `json:"style"`
}

// listStyle is a list's style, a string, or a text's, an object.
type listStyle struct {
	list                       string
	Bold, Italic, Strike, Code bool
	Underline                  bool
}

// UnmarshalJSON takes both forms.
func (l *listStyle) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &l.list)
	}
	type plain listStyle
	return json.Unmarshal(data, (*plain)(l))
}

// blocks reads a message's blocks; ok is false where none is a rich_text.
func (s *client) blocks(raw json.RawMessage) (t richtext.Text, ok bool) {
	var list []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	for _, one := range list {
		var head struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(one, &head) != nil || head.Type != "rich_text" {
			continue
		}
		var b element
		if json.Unmarshal(one, &b) != nil {
			return nil, false
		}
		if ok {
			t = append(t, richtext.Node{Kind: richtext.Break})
		}
		t = append(t, s.elements(b.Elements, maxBlockDepth)...)
		ok = true
	}
	return t, ok
}

func (s *client) elements(list []element, depth int) richtext.Text {
	if depth == 0 {
		return nil
	}
	var t richtext.Text
	for i, e := range list {
		switch e.Type {
		case "rich_text_section":
			if i > 0 && list[i-1].Type == "rich_text_section" {
				t = append(t, richtext.Node{Kind: richtext.Break})
			}
			t = append(t, s.elements(e.Elements, depth-1)...)
		case "rich_text_list":
			n := richtext.Node{Kind: richtext.List}
			if e.Style.list == "ordered" {
				n.Level = e.Offset + 1
			}
			for _, item := range e.Elements {
				n.Children = append(n.Children, richtext.Node{Kind: richtext.Item, Children: s.elements(item.Elements, depth-1)})
			}
			t = append(t, n)
		case "rich_text_quote":
			t = append(t, richtext.Node{Kind: richtext.Quote, Children: trimBreaks(s.elements(e.Elements, depth-1))})
		case "rich_text_preformatted":
			t = append(t, richtext.Node{Kind: richtext.Pre, Text: strings.TrimSuffix(s.elements(e.Elements, depth-1).String(), "\n")})
		default:
			t = append(t, style(s.inline(e), e.Style)...)
		}
	}
	return trimBreaks(t)
}

// trimBreaks takes away the line end that Slack puts before a block that follows.
func trimBreaks(t richtext.Text) richtext.Text {
	for i := 0; i+1 < len(t); i++ {
		if t[i].Kind == richtext.Break && t[i+1].Kind.Block() {
			t = append(t[:i:i], t[i+1:]...)
		}
	}
	return t
}

// inline makes nodes of one inline element.
func (s *client) inline(e element) richtext.Text {
	switch e.Type {
	case "text":
		return richtext.FromPlain(e.Text)
	case "link":
		n := richtext.Node{Kind: richtext.Link, URL: e.URL}
		if e.Text != "" && e.Text != e.URL {
			n.Children = richtext.Text{{Text: e.Text}}
		}
		return richtext.Text{n}
	case "user":
		return richtext.Text{s.mention(e.UserID, "")}
	case "channel":
		return richtext.Text{s.channelNode(e.Channel, "")}
	case "usergroup":
		return richtext.Text{{Kind: richtext.Group, ID: strings.ToLower(e.Group)}}
	case "broadcast":
		return richtext.Text{{Kind: richtext.All, Text: e.Range}}
	case "emoji":
		return richtext.Text{{Kind: richtext.Emoji, Text: reaction(e.Name)}}
	case "color", "date":
		if e.Fallback != "" {
			return richtext.FromPlain(e.Fallback)
		}
	}
	return richtext.FromPlain(e.Text)
}

func style(t richtext.Text, l listStyle) richtext.Text {
	if len(t) == 0 {
		return nil
	}
	if l.Code {
		return richtext.Text{{Kind: richtext.Code, Text: t.String()}}
	}
	for _, s := range []struct {
		on   bool
		kind richtext.Kind
	}{{l.Strike, richtext.Strike}, {l.Underline, richtext.Under}, {l.Italic, richtext.Italic}, {l.Bold, richtext.Bold}} {
		if s.on {
			t = richtext.Text{{Kind: s.kind, Children: t}}
		}
	}
	return t
}

func (s *client) mention(id, label string) richtext.Node {
	if name := s.name(id); name != "" {
		label = name
	}
	return richtext.Node{Kind: richtext.Mention, ID: string(userID(s.cred.Team, id)), Text: label}
}

func (s *client) channelNode(id, label string) richtext.Node {
	s.mu.Lock()
	if room, ok := s.rooms[id]; ok && label == "" {
		label = room.Name
	}
	s.mu.Unlock()
	return richtext.Node{Kind: richtext.Channel, ID: string(roomID(s.cred.Team, id)), Text: label}
}
