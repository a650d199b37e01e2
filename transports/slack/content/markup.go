package content

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Markup renders an outgoing text as mrkdwn, with what it answers before it: outside of threads Slack has no replies.
func Markup(team string, m transports.Outgoing) string {
	w := mrkdwn{team: team}
	if m.Answered != nil && m.Thread == "" {
		w.text(m.Answered.Quotation())
		w.fresh()
	}
	begin, size := w.Len(), 0
	for i := range m.Text {
		size += len(m.Text[i].Text) + len(m.Text[i].URL) + 8
	}
	w.Grow(size)
	w.text(m.Text)
	text := strings.TrimRight(w.String(), "\n")
	if m.Me {
		return text[:begin] + richtext.Span("_", text[begin:])
	}
	return text
}

// Length is how many characters a text has as mrkdwn.
func Length(t richtext.Text) int {
	w := mrkdwn{anyTeam: true}
	w.text(t)
	return utf8.RuneCountInString(strings.TrimRight(w.String(), "\n"))
}

// escaper writes the three characters that Slack wants to be escaped (docs: Formatting text, Escaping text), so that no
// text of ours becomes a mention of everybody.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", string(markBegin), "", string(markEnd), "")

// Escape is a text without markup as Slack takes it.
func Escape(s string) string { return escaper.Replace(s) }

// codeEscaper does the same in code, which a backtick would end.
var codeEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", string(markBegin), "", string(markEnd), "", "`", "ˋ")

// mrkdwn writes Slack's markup.
type mrkdwn struct {
	strings.Builder
	team    string
	anyTeam bool // ids of all teams are mentions
	open    bool // the line is not empty
}

func (w *mrkdwn) put(s string) {
	if s != "" {
		w.WriteString(s)
		w.open = s[len(s)-1] != '\n'
	}
}

func (w *mrkdwn) fresh() {
	if w.open {
		w.put("\n")
	}
}

func (w *mrkdwn) text(t richtext.Text) {
	block := false
	for _, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		if block = n.Kind.Block(); block {
			w.block(n)
		} else {
			w.inline(n)
		}
	}
}

func (w *mrkdwn) inline(n richtext.Node) {
	switch n.Kind {
	case richtext.Plain:
		w.put(escaper.Replace(n.Text))
	case richtext.Break:
		w.put("\n")
	case richtext.Bold:
		w.put(richtext.Span("*", w.inner(n.Children)))
	case richtext.Italic, richtext.Under: // Slack has no underlined text
		w.put(richtext.Span("_", w.inner(n.Children)))
	case richtext.Strike:
		w.put(richtext.Span("~", w.inner(n.Children)))
	case richtext.Spoiler:
		w.put("(spoiler) " + w.inner(n.Children))
	case richtext.Code:
		if n.Text != "" {
			w.put("`" + codeEscaper.Replace(n.Text) + "`")
		}
	case richtext.Link:
		w.put(link(n))
	case richtext.Mention:
		w.mention(n, "@")
	case richtext.Channel:
		w.mention(n, "#")
	case richtext.Group:
		w.group(n)
	case richtext.All:
		w.all(n)
	default:
		w.put(escaper.Replace(richtext.Text{n}.String()))
	}
}

// mention writes the id of a person or channel of the workspace, else the name.
func (w *mrkdwn) mention(n richtext.Node, sign string) {
	id, ok := SlackID(w.team, transports.UserID(n.ID))
	if w.anyTeam {
		_, id, ok = strings.Cut(n.ID, "-")
	}
	if !ok {
		w.put(escaper.Replace(sign + strings.TrimPrefix(n.Text, sign)))
		return
	}
	w.put("<" + sign + id + ">")
}

// group writes the id of a group of users, else its name.
func (w *mrkdwn) group(n richtext.Node) {
	if id := strings.ToUpper(n.ID); groupID.MatchString(id) {
		w.put("<!subteam^" + id + ">")
		return
	}
	w.put(escaper.Replace(richtext.Text{n}.String()))
}

// all alerts everybody where the author has asked for it; else it is text.
func (w *mrkdwn) all(n richtext.Node) {
	switch {
	case n.ID != "" && (n.Text == "here" || n.Text == "channel" || n.Text == "everyone"):
		w.put("<!" + n.Text + ">")
	default:
		w.put(escaper.Replace("@" + n.Text))
	}
}

// groupID is the id of a group of users.
var groupID = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)

func (w *mrkdwn) block(n richtext.Node) {
	switch n.Kind {
	case richtext.Pre:
		w.put(preformatted(n))
	case richtext.Quote:
		w.put("> " + strings.ReplaceAll(innerQuotes(w.inner(n.Children)), "\n", "\n> "))
	case richtext.Heading:
		w.put(richtext.Span("*", w.inner(n.Children)))
	case richtext.List:
		for i, item := range n.Children {
			w.fresh()
			mark := "- "
			if n.Level > 0 {
				mark = strconv.Itoa(n.Level+i) + ". "
			}
			w.item(item, mark)
		}
	default:
		w.item(n, "- ")
	}
}

func (w *mrkdwn) item(n richtext.Node, mark string) {
	w.put(mark + strings.ReplaceAll(w.inner(n.Children), "\n", "\n"+strings.Repeat(" ", len(mark))))
}

// inner is what stands in a node, as it would alone.
func (w *mrkdwn) inner(t richtext.Text) string {
	if len(t) == 1 && t[0].Kind == richtext.Plain { // nearly all that stands between marks
		return strings.TrimRight(escaper.Replace(t[0].Text), "\n")
	}
	inner := mrkdwn{team: w.team, anyTeam: w.anyTeam}
	inner.text(t)
	return strings.TrimRight(inner.String(), "\n")
}

// preformatted writes a block of code. Slack has no languages in mrkdwn: it shows the name as the first line.
func preformatted(n richtext.Node) string {
	text := strings.Trim(n.Text, "\n")
	if n.ID != "" {
		text = n.ID + "\n" + text
	}
	return "```\n" + strings.ReplaceAll(escaper.Replace(text), "```", "ˋˋˋ") + "\n```"
}

// innerQuotes escapes the marks of quotations within a quotation: Slack knows one level, and shows those of others as text.
func innerQuotes(s string) string {
	if !strings.HasPrefix(s, ">") && !strings.Contains(s, "\n>") {
		return s
	}
	return strings.TrimPrefix(strings.ReplaceAll("\n"+s, "\n>", "\n&gt;"), "\n")
}

// link writes a link. Its label is one line, and may not end the brackets. What is no address is text:
// in brackets it might be a mention.
func link(n richtext.Node) string {
	if !strings.HasPrefix(n.URL, "https://") && !strings.HasPrefix(n.URL, "http://") && !strings.HasPrefix(n.URL, "mailto:") {
		return escaper.Replace(strings.TrimSpace(n.Children.String() + " " + n.URL))
	}
	label := strings.Join(strings.Fields(n.Children.String()), " ")
	if label == "" || label == n.URL {
		return "<" + linkTarget(n.URL) + ">"
	}
	return "<" + linkTarget(n.URL) + "|" + strings.ReplaceAll(escaper.Replace(label), "|", "¦") + ">"
}

// targetEscaper keeps a URL from ending its own brackets.
var targetEscaper = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", "\n", "", " ", "%20")

func linkTarget(url string) string { return targetEscaper.Replace(dropMarks(url)) }
