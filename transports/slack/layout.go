package slack

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxBlocks is how many blocks of a message are read: Slack takes 50 (docs: Block Kit).
const maxBlocks = 100

// textObject is a text of a block: an object with its type, or the text itself.
type textObject struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// UnmarshalJSON takes both forms.
func (o *textObject) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &o.Text)
	}
	type plain textObject
	_, err := lenientjson.Unmarshal(data, (*plain)(o))
	return err
}

// block is any block but a rich_text, or an element of one (docs: Block Kit, Blocks and Block elements).
type block struct {
	Type        string       `json:"type"`
	Text        textObject   `json:"text"`
	Title       textObject   `json:"title"`
	Label       textObject   `json:"label"`
	Placeholder textObject   `json:"placeholder"`
	Fields      []textObject `json:"fields"`
	Elements    []block      `json:"elements"`
	Accessory   *block       `json:"accessory"`
	Rows        [][]rawJSON  `json:"rows"` // of a table
	address
}

// address is what a block leads to.
type address struct {
	URL      string `json:"url"`
	ImageURL string `json:"image_url"`
	VideoURL string `json:"video_url"`
	TitleURL string `json:"title_url"`
	Alt      string `json:"alt_text"`
}

type rawJSON = json.RawMessage

// blocks reads a message's blocks, one by one: one that cannot be read is left out.
func (s *client) blocks(raw json.RawMessage) richtext.Text {
	var list []json.RawMessage
	if _, err := lenientjson.Unmarshal(raw, &list); err != nil {
		return nil
	}
	var t richtext.Text
	for _, one := range list[:min(len(list), maxBlocks)] {
		var head struct {
			Type string `json:"type"`
		}
		_, _ = lenientjson.Unmarshal(one, &head) // it was decoded before
		if head.Type == "rich_text" {
			t = appendLine(t, s.richText(one))
			continue
		}
		var b block
		left, _ := lenientjson.Unmarshal(one, &b)
		some := s.block(&b, maxBlockDepth)
		if some.IsEmpty() && head.Type != "divider" {
			some = s.anyText(one)
			left = append(left, "type")
		}
		if len(left) > 0 && s.raw.First("block "+head.Type, left) {
			s.log.Warn("a block of slack is not known, or has values of other types", "type", head.Type, "values", left)
		}
		t = appendLine(t, some)
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

// block makes lines of one block.
func (s *client) block(b *block, depth int) (t richtext.Text) {
	if depth == 0 {
		return nil
	}
	switch b.Type {
	case "header":
		return richtext.Text{{Kind: richtext.Heading, Level: 1, Children: richtext.FromPlain(strings.ReplaceAll(emojis(b.Text.Text), "\n", " "))}}
	case "image":
		return s.image(b)
	case "video":
		return s.linked(firstOf(b.TitleURL, b.VideoURL), firstOf(b.Title.Text, b.Alt))
	case "actions", "context", "context_actions":
		return s.inOneLine(b.Elements, depth-1)
	case "table":
		return s.table(b)
	}
	t = s.object(b.Text)
	for _, f := range b.Fields {
		t = appendLine(t, s.object(f))
	}
	for _, o := range []textObject{b.Title, b.Label} {
		t = appendLine(t, s.object(o))
	}
	if b.URL != "" {
		t = s.linked(b.URL, b.Text.Text)
	} else if t.IsEmpty() {
		t = s.object(b.Placeholder)
	}
	if interactive(b.Type) && b.URL == "" && !t.IsEmpty() {
		t = append(append(richtext.Text{{Text: "["}}, t...), richtext.Node{Text: "]"})
	}
	for i := range b.Elements {
		t = appendLine(t, s.block(&b.Elements[i], depth-1))
	}
	if b.Accessory != nil {
		t = appendLine(t, s.block(b.Accessory, depth-1))
	}
	return t
}

// interactive reports whether an element is there to be chosen or pressed, which cannot be done from here.
func interactive(typ string) bool {
	return typ == "button" || typ == "overflow" || strings.HasSuffix(typ, "_select") || strings.HasSuffix(typ, "picker")
}

// inOneLine is what stands side by side.
func (s *client) inOneLine(list []block, depth int) (t richtext.Text) {
	for i := range list[:min(len(list), maxBlocks)] {
		if some := s.block(&list[i], depth); len(some) > 0 {
			if len(t) > 0 {
				t = append(t, richtext.Node{Text: " "})
			}
			t = append(t, some...)
		}
	}
	return t
}

// object is a text of a block: mrkdwn, or plain with names of emoji.
func (s *client) object(o textObject) richtext.Text {
	switch {
	case o.Text == "":
		return nil
	case o.Type == "mrkdwn":
		return s.parse(o.Text)
	}
	return richtext.FromPlain(emojis(o.Text))
}

func (s *client) image(b *block) richtext.Text {
	name := firstOf(b.Title.Text, b.Alt)
	if !webAddress(b.ImageURL) { // a file of Slack's, which needs a login
		return richtext.FromPlain(name)
	}
	return s.linked(b.ImageURL, name)
}

func webAddress(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// linked is a link with a label, which may be empty.
func (s *client) linked(url, label string) richtext.Text {
	if !webAddress(url) {
		return richtext.FromPlain(label)
	}
	n := richtext.Node{Kind: richtext.Link, URL: url}
	if label != "" && label != url {
		n.Children = richtext.Text{{Text: strings.ReplaceAll(emojis(label), "\n", " ")}}
	}
	return richtext.Text{n}
}

// table writes a line for each row.
func (s *client) table(b *block) (t richtext.Text) {
	for _, row := range b.Rows[:min(len(b.Rows), maxBlocks)] {
		var line richtext.Text
		for i, cell := range row {
			if i > 0 {
				line = append(line, richtext.Node{Text: " | "})
			}
			some := s.richText(cell)
			if some.IsEmpty() {
				some = s.anyText(cell)
			}
			line = append(line, some...)
		}
		t = appendLine(t, line)
	}
	return t
}

// textKeys are the members that hold something to read in blocks of kinds that are not known here.
var textKeys = []string{"text", "title", "label", "alt_text", "name", "value", "placeholder", "fallback"}

// anyText finds what can be read in a block of a kind that is not known here.
func (s *client) anyText(raw json.RawMessage) (t richtext.Text) {
	var v any
	if _, err := lenientjson.Unmarshal(raw, &v); err != nil {
		return nil
	}
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth == 0 || len(t) > 2*maxBlocks {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e, depth-1)
			}
		case map[string]any:
			mrkdwn := v["type"] == "mrkdwn"
			for _, key := range textKeys {
				if text, ok := v[key].(string); ok {
					o := textObject{Text: text}
					if mrkdwn {
						o.Type = "mrkdwn"
					}
					t = appendLine(t, s.object(o))
				}
			}
			for _, key := range sortedKeys(v) {
				switch v[key].(type) {
				case map[string]any, []any:
					walk(v[key], depth-1)
				}
			}
		}
	}
	walk(v, maxBlockDepth)
	return t
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
