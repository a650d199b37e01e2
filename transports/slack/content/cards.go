package content

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// card is what a card, a container or an alert has besides its title.
type card struct {
	Subtitle  textObject `json:"subtitle"`
	Body      textObject `json:"body"`
	HeroImage *block     `json:"hero_image"`
	Actions   []block    `json:"actions"`
	Blocks    rawJSON    `json:"child_blocks"`
	RichTitle rawJSON    `json:"rich_text_title"`
	Level     string     `json:"level"`
	Caption   string     `json:"caption"` // of a table
}

// task is what a plan or one of its tasks has besides its title.
type task struct {
	Tasks   []block `json:"tasks"`
	Status  string  `json:"status"`
	Details rawJSON `json:"details"`
	Output  rawJSON `json:"output"`
	Sources []block `json:"sources"`
}

// levels are the words before an alert; one that only informs has none.
var levels = map[string]string{"warning": "Warning: ", "error": "Error: ", "success": "✓ "}

// boxed is a card, several of them, a container with blocks, or an alert.
func (r *Reader) boxed(b *block, depth int) (t richtext.Text) {
	if b.Type == "alert" {
		if word := levels[b.Level]; word != "" {
			t = richtext.Text{{Text: word}}
		}
		return append(t, r.object(b.Text)...)
	}
	title := r.richText(b.RichTitle)
	if title.IsEmpty() {
		title = r.object(b.Title)
	}
	if !title.IsEmpty() {
		t = richtext.Text{{Kind: richtext.Bold, Children: title}}
	}
	for _, o := range []textObject{b.Subtitle, b.Body} {
		t = appendLine(t, r.object(o))
	}
	if b.HeroImage != nil {
		t = appendLine(t, r.image(b.HeroImage))
	}
	for i := range b.Elements[:min(len(b.Elements), maxBlocks)] { // of a carousel
		t = appendLine(t, r.block(&b.Elements[i], depth))
	}
	t = appendLine(t, r.column(b.card.Blocks, depth))
	return appendLine(t, r.inOneLine(b.Actions, depth))
}

// tasks is a plan with its tasks, or one of them.
func (r *Reader) tasks(b *block, depth int) (t richtext.Text) {
	title := r.object(b.Title)
	if len(title) == 0 {
		title = r.object(b.Text)
	}
	if b.Type == "plan" && len(title) > 0 {
		title = richtext.Text{{Kind: richtext.Bold, Children: title}}
	}
	if b.Status != "" {
		title = append(title, richtext.Node{Text: " (" + strings.ReplaceAll(b.Status, "_", " ") + ")"})
	}
	t = appendLine(t, title)
	for _, raw := range []json.RawMessage{b.Details, b.Output} {
		t = appendLine(t, r.richText(raw))
	}
	var sources richtext.Text
	for i := range b.Sources[:min(len(b.Sources), maxBlocks)] {
		sources = spaced(sources, r.linked(b.Sources[i].URL, b.Sources[i].Text.Text))
	}
	t = appendLine(t, sources)
	if depth == 0 || len(b.Tasks) == 0 {
		return t
	}
	list := richtext.Node{Kind: richtext.List}
	for i := range b.Tasks[:min(len(b.Tasks), maxBlocks)] {
		list.Children = append(list.Children, richtext.Node{Kind: richtext.Item, Children: r.tasks(&b.Tasks[i], depth-1)})
	}
	return append(t, list)
}

// markdown is text that an app has written as Markdown.
func (r *Reader) markdown(text string) richtext.Text {
	t := richtext.ParseMarkdown(text)
	t.Walk(func(n *richtext.Node) {
		if n.Kind == richtext.Plain {
			n.Text = Emojis(n.Text)
		}
	})
	return t
}

func (r *Reader) image(b *block) richtext.Text {
	name := firstOf(b.Title.Text, b.Alt)
	if !webAddress(b.ImageURL) { // a file of Slack's, which needs a login
		return richtext.FromPlain(firstOf(Emojis(name), "[image]"))
	}
	return r.linked(b.ImageURL, name)
}

func (r *Reader) video(b *block) richtext.Text {
	t := richtext.FromPlain(strings.TrimSpace(strings.Join([]string{b.Provider, b.Author}, " ")))
	t = appendLine(t, r.linked(firstOf(b.TitleURL, b.VideoURL), firstOf(b.Title.Text, b.Alt)))
	return appendLine(t, r.object(b.Description))
}

// callBlock is a call of another service (docs: Calls API).
func (r *Reader) callBlock(b *block) richtext.Text {
	var call struct {
		V1 struct {
			Name    string `json:"name"`
			URL     string `json:"join_url"`
			Ended   int64  `json:"date_end"`
			Display string `json:"display_id"`
		} `json:"v1"`
	}
	_, _ = lenientjson.Unmarshal(b.Call, &call) // it was decoded with the block
	text := "A call has begun"
	if call.V1.Ended > 0 {
		text = "The call has ended"
	}
	t := richtext.FromPlain(text)
	if call.V1.Ended == 0 && webAddress(call.V1.URL) {
		return append(append(t, richtext.Node{Text: ": "}), r.linked(call.V1.URL, call.V1.Name)...)
	}
	if call.V1.Name != "" {
		t = append(t, richtext.Node{Text: ": " + Emojis(call.V1.Name)})
	}
	return t
}

func webAddress(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// linked is a link with a label, which may be empty.
func (r *Reader) linked(url, label string) richtext.Text {
	if !webAddress(url) {
		return richtext.FromPlain(Emojis(label))
	}
	n := richtext.Node{Kind: richtext.Link, URL: url}
	if label != "" && label != url {
		n.Children = richtext.Text{{Text: strings.ReplaceAll(Emojis(label), "\n", " ")}}
	}
	return richtext.Text{n}
}
