package slack

import (
	"strings"

	"github.com/kyokomi/emoji/v2"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// markup renders an outgoing text as mrkdwn. Everything is escaped, so that no text of ours
// becomes a mention of everybody.
func (s *client) markup(m transports.Outgoing) string {
	text := s.mrkdwn(m.Text)
	if m.Me {
		return "_" + text + "_"
	}
	return text
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// mrkdwn renders Slack's markup: XEP-0393's directives with links and mentions in angle brackets.
// The leaves become text first, so that one renderer of styling serves both.
func (s *client) mrkdwn(t richtext.Text) string {
	var marked []string
	hide := func(inline string) richtext.Node {
		marked = append(marked, inline)
		return richtext.Node{Text: placeholder(len(marked) - 1)}
	}
	var flatten func(t richtext.Text) richtext.Text
	flatten = func(t richtext.Text) richtext.Text {
		var out richtext.Text
		for _, n := range t {
			switch n.Kind {
			case richtext.Link:
				out = append(out, hide(link(n)))
			case richtext.Mention:
				if id, ok := slackID(s.cred.Team, transports.UserID(n.ID)); ok {
					out = append(out, hide("<@"+id+">"))
				} else {
					out = append(out, richtext.Node{Text: "@" + dropMarks(n.Text)})
				}
			case richtext.Channel:
				if id, ok := slackID(s.cred.Team, transports.RoomID(n.ID)); ok {
					out = append(out, hide("<#"+id+">"))
				} else {
					out = append(out, richtext.Node{Text: "#" + dropMarks(n.Text)})
				}
			default:
				n.Text, n.ID = dropMarks(n.Text), "" // Slack would show a block's language as code
				n.Children = flatten(n.Children)
				out = append(out, n)
			}
		}
		return out
	}
	body := escaper.Replace(flatten(t).Styling())
	body = quoteMarks(body)
	return fillMarks(body, marked, func(inline string) string { return inline })
}

// quoteMarks gives back the quotation marks at the beginning of lines, which Slack takes as
// markup in either form.
func quoteMarks(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		rest := line
		marks := ""
		for strings.HasPrefix(rest, "&gt; ") {
			marks += "> "
			rest = rest[len("&gt; "):]
		}
		if marks != "" {
			lines[i] = marks[:2] + rest // Slack knows one level
		}
	}
	return strings.Join(lines, "\n")
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

// linkTarget keeps a URL from ending its own brackets.
func linkTarget(url string) string {
	return strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", "\n", "", " ", "%20").Replace(dropMarks(url))
}

// reaction is a reaction's name as Unicode where there is one, else in colons.
func reaction(name string) string { return richtext.NormalEmoji(":" + name + ":") }

var tones = map[string]string{
	"skin-tone-2": "\U0001F3FB", "skin-tone-3": "\U0001F3FC", "skin-tone-4": "\U0001F3FD", "skin-tone-5": "\U0001F3FE", "skin-tone-6": "\U0001F3FF",
}

// emojiName is the reverse of reaction.
func emojiName(s string) (string, bool) {
	if name, ok := strings.CutPrefix(s, ":"); ok {
		name, ok = strings.CutSuffix(name, ":")
		return name, ok && name != ""
	}
	suffix := ""
	for name, tone := range tones {
		if base := strings.Replace(s, tone, "", 1); base != s && base != "" {
			s, suffix = base, "::"+name // behind the first person of a sequence too
			break
		}
	}
	for _, candidate := range []string{s, richtext.NormalEmoji(s), strings.ReplaceAll(s, "\uFE0F", "")} {
		if names := emoji.RevCodeMap()[candidate]; len(names) > 0 {
			best := names[0]
			for _, n := range names {
				if slackNames[n] || !slackNames[best] && (len(n) < len(best) || len(n) == len(best) && n < best) {
					best = n
				}
			}
			return strings.Trim(best, ":") + suffix, true
		}
	}
	return "", false
}

// slackNames are the names that Slack uses where an emoji has several.
var slackNames = map[string]bool{
	":+1:": true, ":-1:": true, ":heart:": true, ":smile:": true, ":laughing:": true, ":joy:": true, ":tada:": true, ":eyes:": true,
	":white_check_mark:": true, ":x:": true, ":fire:": true, ":rocket:": true, ":thinking_face:": true, ":clap:": true, ":pray:": true,
	":wave:": true, ":ok_hand:": true, ":100:": true, ":open_mouth:": true, ":cry:": true, ":hankey:": true, ":memo:": true, ":bug:": true,
}
