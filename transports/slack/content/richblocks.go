package content

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxBlockDepth bounds how deep a rich text may be nested.
const maxBlockDepth = 16

// element is any element of a rich_text block.
type element struct {
	Type     string    `json:"type"`
	Elements []element `json:"elements"`
	Text     string    `json:"text"`
	URL      string    `json:"url"`
	Name     string    `json:"name"`
	Unicode  string    `json:"unicode"`
	SkinTone int       `json:"skin_tone"`
	Value    string    `json:"value"`
	Stamp    int64     `json:"timestamp"`
	Fallback string    `json:"fallback"`
	mentioned
	listing
	Style listStyle `json:"style"`
}

// mentioned is whom or what an element refers to.
type mentioned struct {
	UserID  string `json:"user_id"`
	Channel string `json:"channel_id"`
	Group   string `json:"usergroup_id"`
	Range   string `json:"range"`
	Team    string `json:"team_id"`
}

// listing is how a rich_text_list goes on with the one before: its first number, and how far to the right it is.
type listing struct {
	Offset int `json:"offset"`
	Indent int `json:"indent"`
}

// listStyle is a list's style, a string, or a text's, an object.
type listStyle struct {
	list string
	textStyle
}

type textStyle struct {
	Bold      bool `json:"bold"`
	Italic    bool `json:"italic"`
	Strike    bool `json:"strike"`
	Code      bool `json:"code"`
	Underline bool `json:"underline"`
}

// UnmarshalJSON takes both forms.
func (l *listStyle) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &l.list)
	}
	_, err := lenientjson.Unmarshal(data, &l.textStyle)
	return err
}

// richText reads a rich_text block.
func (r *Reader) richText(raw json.RawMessage) richtext.Text {
	var b element
	if _, err := lenientjson.Unmarshal(raw, &b); err != nil {
		return nil
	}
	return r.elements(b.Elements, maxBlockDepth)
}

func (r *Reader) elements(list []element, depth int) richtext.Text {
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
			t = append(t, r.elements(e.Elements, depth-1)...)
		case "rich_text_list":
			nest(&t, r.list(e, depth), min(e.Indent, maxIndent))
		case "rich_text_quote":
			t = append(t, richtext.Node{Kind: richtext.Quote, Children: trimBreaks(r.elements(e.Elements, depth-1))})
		case "rich_text_preformatted":
			t = append(t, richtext.Node{Kind: richtext.Pre, Text: strings.TrimSuffix(r.elements(e.Elements, depth-1).String(), "\n")})
		default:
			t = append(t, style(r.inline(e), e.Style)...)
		}
	}
	return trimBreaks(t)
}

// maxIndent is how deep lists are nested.
const maxIndent = 8

func (r *Reader) list(e element, depth int) richtext.Node {
	n := richtext.Node{Kind: richtext.List}
	if e.Style.list == "ordered" {
		n.Level = max(e.Offset, 0) + 1
	}
	for _, item := range e.Elements {
		children := r.elements(item.Elements, depth-1)
		if len(item.Elements) == 0 {
			children = r.inline(item)
		}
		n.Children = append(n.Children, richtext.Node{Kind: richtext.Item, Children: children})
	}
	return n
}

// nest adds a list. One that is further right than the list before it goes into that one's last item.
func nest(t *richtext.Text, list richtext.Node, indent int) {
	if n := len(*t); indent > 0 && n > 0 && (*t)[n-1].Kind == richtext.List && len((*t)[n-1].Children) > 0 {
		items := (*t)[n-1].Children
		nest(&items[len(items)-1].Children, list, indent-1)
		return
	}
	if n := len(*t); n > 0 && (*t)[n-1].Kind == richtext.List && ((*t)[n-1].Level > 0) == (list.Level > 0) {
		(*t)[n-1].Children = append((*t)[n-1].Children, list.Children...) // goes on behind a list that was further right
		return
	}
	*t = append(*t, list)
}

// trimBreaks takes away the line end that Slack puts before a block that follows.
func trimBreaks(t richtext.Text) richtext.Text {
	var kept richtext.Text
	for i, n := range t {
		if n.Kind != richtext.Break || i+1 == len(t) || !t[i+1].Kind.Block() {
			kept = append(kept, n)
		}
	}
	return kept
}

// inline makes nodes of one inline element.
func (r *Reader) inline(e element) richtext.Text {
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
		return richtext.Text{r.mention(e.UserID, "")}
	case "channel":
		return richtext.Text{r.channelNode(e.Channel, "")}
	case "usergroup":
		return richtext.Text{r.group(e.Group, "")}
	case "team":
		return richtext.FromPlain("[workspace " + e.Team + "]")
	case "broadcast":
		return richtext.Text{{Kind: richtext.All, Text: e.Range}}
	case "emoji":
		return richtext.Text{{Kind: richtext.Emoji, Text: e.emoji()}}
	case "color":
		return richtext.FromPlain(firstOf(e.Value, e.Fallback, e.Text))
	case "date":
		if e.Fallback == "" && e.Stamp > 0 && e.Stamp < maxUnix {
			return richtext.FromPlain(time.Unix(e.Stamp, 0).UTC().Format(clock))
		}
	}
	if text := firstOf(e.Text, e.Fallback, e.Value, e.Name, e.URL); text != "" {
		return richtext.FromPlain(text)
	}
	return r.elements(e.Elements, maxBlockDepth/2)
}

// clock is how a moment is written, for readers who may be anywhere.
const clock = "2006-01-02 15:04 MST"

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// firstOf is the first text that is not empty.
func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// emoji is an emoji's Unicode form, of its code points in hexadecimal where Slack has sent them, else its name in colons.
func (e *element) emoji() string {
	if char := fromHex(e.Unicode); char != "" {
		return char
	}
	name := e.Name
	if e.SkinTone >= 2 && e.SkinTone <= 6 {
		name += "::skin-tone-" + strconv.Itoa(e.SkinTone)
	}
	return Reaction(name)
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

func (r *Reader) mention(id, label string) richtext.Node {
	name := ""
	if r.Names != nil {
		name = r.Names.Person(id)
	}
	return richtext.Node{Kind: richtext.Mention, ID: string(UserID(r.Team, id)), Text: firstOf(name, label, id)}
}

func (r *Reader) group(id, label string) richtext.Node {
	name := ""
	if r.Names != nil && label == "" {
		name = r.Names.Group(id)
	}
	return richtext.Node{Kind: richtext.Group, ID: strings.ToLower(id), Text: firstOf(label, name, id)}
}

func (r *Reader) channelNode(id, label string) richtext.Node {
	name := ""
	if r.Names != nil && label == "" {
		name = r.Names.Channel(id)
	}
	return richtext.Node{Kind: richtext.Channel, ID: string(RoomID(r.Team, id)), Text: firstOf(label, name, id)}
}
