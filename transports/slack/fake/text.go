package fake

import (
	"regexp"
	"strings"
)

// escape is how Slack writes text on the wire: only these three.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

var (
	// control is a control sequence that Slack takes as one: a mention, a link, a date.
	control        = regexp.MustCompile(`^<(?:@[UWB][A-Z0-9]+|#[CG][A-Z0-9]+|!(?:here|channel|everyone)|!subteam\^S[A-Z0-9]+|!date\^[0-9]+\^[^<>|]+|(?:https?|mailto|tel|ftp|xmpp|slack|irc|ircs|geo|sip):[^<>|\s]+)(?:\|[^<>]*)?>`)
	entity         = regexp.MustCompile(`^&(?:amp|lt|gt);`)
	bareURL        = regexp.MustCompile(`^https?://[^\s<>|"` + "`" + `]+`)
	bareDomain     = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|io|dev|im|example)\b(?:/[^\s<>|"` + "`" + `]*)?`)
	bareMail       = regexp.MustCompile(`^[a-zA-Z0-9._+-]+@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}`)
	handleRE       = regexp.MustCompile(`^[@#][a-zA-Z0-9][a-zA-Z0-9._-]*`)
	userLabel      = regexp.MustCompile(`^<(@[UWB][A-Z0-9]+)\|[^<>]*>$`)
	broadcastLabel = regexp.MustCompile(`^<(!(?:here|channel|everyone))\|[^<>]*>$`)
)

// maxToken bounds a link or mention, and with it the time that a text can take.
const maxToken = 2048

// rewriting says what Slack does to a text when it is posted.
type rewriting struct {
	team     *Workspace
	controls bool // <…> is markup, as for apps; people's is text
	links    bool // bare addresses become links
	names    bool // @name and #name become mentions
}

// rewrite is the text as Slack keeps and sends it.
func (r rewriting) rewrite(in string) string {
	var out strings.Builder
	boundary := true // before in[i] a word may begin
	code := 0        // inside ` or ```, where nothing becomes a link
	for i := 0; i < len(in); {
		rest := in[i:min(len(in), i+maxToken)]
		token, used := "", 0
		switch {
		case strings.HasPrefix(rest, "```"):
			code ^= 3
			token, used = "```", 3
		case rest[0] == '`' && code != 3:
			code ^= 1
			token, used = "`", 1
		case r.controls && rest[0] == '<':
			if m := control.FindString(rest); m != "" {
				token, used = normalise(m), len(m)
			}
		case r.controls && rest[0] == '&':
			if m := entity.FindString(rest); m != "" {
				token, used = m, len(m)
			}
		case boundary && code == 0:
			token, used = r.word(rest)
		}
		if used == 0 {
			c := rest[:1]
			boundary = strings.ContainsAny(c, " \t\n([{*_~'\"")
			out.WriteString(escape.Replace(c))
			i++
			continue
		}
		out.WriteString(token)
		boundary = strings.HasSuffix(token, "`")
		i += used
	}
	return toShortcodes(out.String())
}

// normalise drops the labels that Slack drops.
func normalise(m string) string {
	if s := userLabel.FindStringSubmatch(m); s != nil {
		return "<" + s[1] + ">"
	}
	if s := broadcastLabel.FindStringSubmatch(m); s != nil {
		return "<" + s[1] + ">"
	}
	return m
}

// addressLike reports whether a text begins with a word that has a dot in it.
func addressLike(s string) bool {
	if !wordByte(s[0]) {
		return false
	}
	end := strings.IndexAny(s, " \t\n<>|`*~\"'()")
	if end < 0 {
		end = len(s)
	}
	return strings.Contains(s[:end], ".")
}

// word is the link or mention that begins a text, and how much of it that is.
func (r rewriting) word(s string) (string, int) {
	if r.links && (strings.HasPrefix(s, "http") || addressLike(s)) {
		if m := trimPunctuation(bareURL.FindString(s)); m != "" {
			return "<" + escape.Replace(m) + ">", len(m)
		}
		if m := trimPunctuation(bareMail.FindString(s)); m != "" {
			return "<mailto:" + m + "|" + m + ">", len(m)
		}
		if m := trimPunctuation(bareDomain.FindString(s)); m != "" {
			return "<http://" + escape.Replace(m) + "|" + escape.Replace(m) + ">", len(m)
		}
	}
	if !r.names {
		return "", 0
	}
	m := trimPunctuation(handleRE.FindString(s))
	if len(m) < 2 {
		return "", 0
	}
	if m[0] == '#' {
		if c := r.team.channelByName(m[1:]); c != nil {
			return "<#" + c.ID + "|>", len(m)
		}
		return "", 0
	}
	switch m {
	case "@here", "@channel", "@everyone":
		return "<!" + m[1:] + ">", len(m)
	}
	if u := r.team.userByName(m[1:]); u != nil {
		return "<@" + u.ID + ">", len(m)
	}
	return "", 0
}

func trimPunctuation(s string) string { return strings.TrimRight(s, ".,;:!?)'*_~") }

// written is the text that a user typed, without control sequences.
func (w *Workspace) written(text string) string {
	return rewriting{team: w, links: true, names: true}.rewrite(text)
}

// posted is the text of an app: parse and link_names as in chat.postMessage.
func (w *Workspace) posted(text, parse string, linkNames bool) string {
	return rewriting{team: w, controls: true, links: parse != "none", names: linkNames || parse == "full"}.rewrite(text)
}
