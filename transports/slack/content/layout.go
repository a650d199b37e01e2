package content

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
	choice
	card
	task
}

// address is what a block leads to, and what is said of that.
type address struct {
	URL         string     `json:"url"`
	ImageURL    string     `json:"image_url"`
	VideoURL    string     `json:"video_url"`
	TitleURL    string     `json:"title_url"`
	Alt         string     `json:"alt_text"`
	Description textObject `json:"description"`
	Author      string     `json:"author_name"`
	Provider    string     `json:"provider_name"`
	Call        rawJSON    `json:"call"`
}

type rawJSON = json.RawMessage

// blocks reads a message's blocks, one by one: one that cannot be read is left out.
func (r *Reader) blocks(raw json.RawMessage) richtext.Text { return r.column(raw, maxBlockDepth) }

// column is what stands one below the other.
func (r *Reader) column(raw json.RawMessage, depth int) (t richtext.Text) {
	var list []json.RawMessage
	if _, err := lenientjson.Unmarshal(raw, &list); err != nil || depth == 0 {
		return nil
	}
	for _, one := range list[:min(len(list), maxBlocks)] {
		var head struct {
			Type string `json:"type"`
		}
		_, _ = lenientjson.Unmarshal(one, &head) // it was decoded before
		if head.Type == "rich_text" {
			t = appendLine(t, r.richText(one))
			continue
		}
		var b block
		left, _ := lenientjson.Unmarshal(one, &b)
		some := r.block(&b, depth)
		if some.IsEmpty() && !known[head.Type] {
			some = r.anyText(one)
			left = append(left, "type")
		}
		if len(left) > 0 && r.Unknown != nil {
			r.Unknown(head.Type, left)
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

// known are the kinds of blocks that are read member by member. In another one everything that is a text is looked for.
var known = map[string]bool{
	"actions": true, "alert": true, "call": true, "card": true, "carousel": true, "container": true, "context": true, "context_actions": true, "data_table": true,
	"divider": true, "file": true, "header": true, "image": true, "input": true, "markdown": true, "plan": true, "rich_text": true, "section": true,
	"table": true, "task_card": true, "video": true,
}

// block makes lines of one block.
func (r *Reader) block(b *block, depth int) (t richtext.Text) {
	if depth == 0 {
		return nil
	}
	switch b.Type {
	case "header":
		return heading(b.Text.Text)
	case "divider":
		return richtext.FromPlain(richtext.Rule)
	case "markdown":
		return r.markdown(b.Text.Text)
	case "image":
		return r.image(b)
	case "video":
		return r.video(b)
	case "actions", "context", "context_actions":
		return r.inOneLine(b.Elements, depth-1)
	case "table", "data_table":
		return r.table(b)
	case "card", "carousel", "container", "alert":
		return r.boxed(b, depth-1)
	case "plan", "task_card":
		return r.tasks(b, depth-1)
	case "call":
		return r.callBlock(b)
	case "file":
		return richtext.FromPlain("[file]") // of another service, which has no address here
	case "input":
		return r.input(b, depth-1)
	}
	if interactive(b.Type) {
		return r.choices(b)
	}
	return r.section(b, depth)
}

// section is a section, and any block or element that is not known.
func (r *Reader) section(b *block, depth int) (t richtext.Text) {
	t = r.object(b.Text)
	for _, f := range b.Fields[:min(len(b.Fields), maxBlocks)] {
		t = appendLine(t, r.object(f))
	}
	for _, o := range []textObject{b.Title, b.Label} {
		t = appendLine(t, r.object(o))
	}
	if b.URL != "" {
		t = r.linked(b.URL, b.Text.Text)
	} else if t.IsEmpty() {
		t = r.object(b.Placeholder)
	}
	for i := range b.Elements[:min(len(b.Elements), maxBlocks)] {
		t = appendLine(t, r.block(&b.Elements[i], depth-1))
	}
	if b.Accessory != nil {
		t = appendLine(t, r.block(b.Accessory, depth-1))
	}
	return t
}

// inOneLine is what stands side by side.
func (r *Reader) inOneLine(list []block, depth int) (t richtext.Text) {
	for i := range list[:min(len(list), maxBlocks)] {
		if some := r.block(&list[i], depth); len(some) > 0 {
			if len(t) > 0 && !some[0].Kind.Block() {
				t = append(t, richtext.Node{Text: " "})
			}
			t = append(t, some...)
		}
	}
	return t
}

// object is a text of a block: mrkdwn, or plain with names of emoji.
func (r *Reader) object(o textObject) richtext.Text {
	switch {
	case o.Text == "":
		return nil
	case o.Type == "mrkdwn":
		return r.Parse(o.Text)
	}
	return richtext.FromPlain(Emojis(o.Text))
}

func heading(text string) richtext.Text {
	return richtext.Text{{Kind: richtext.Heading, Level: 1, Children: richtext.FromPlain(strings.ReplaceAll(Emojis(text), "\n", " "))}}
}

// table writes a line for each row.
func (r *Reader) table(b *block) (t richtext.Text) {
	if b.Caption != "" {
		t = richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain(Emojis(b.Caption))}}
	}
	for _, row := range b.Rows[:min(len(b.Rows), maxBlocks)] {
		var line richtext.Text
		for i, cell := range row[:min(len(row), maxBlocks)] {
			if i > 0 {
				line = append(line, richtext.Node{Text: " | "})
			}
			some := r.richText(cell)
			if some.IsEmpty() {
				some = r.anyText(cell)
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
func (r *Reader) anyText(raw json.RawMessage) (t richtext.Text) {
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
					t = appendLine(t, r.object(o))
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
