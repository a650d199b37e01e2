package textcheck

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Lost returns the beginning of what a conversion has lost: the characters of in have to be in out, in their order.
// White space, characters that are not shown and those of markup need not.
func Lost(in, out, markup string) string {
	want, got := visible(in, markup), visible(out, markup)
	i := 0
	for _, r := range got {
		if i < len(want) && r == want[i] {
			i++
		}
	}
	return string(want[i:min(i+40, len(want))])
}

func visible(s, markup string) (list []rune) {
	for _, r := range s {
		switch {
		case r == 'ˋ': // a backtick within code, which is written with one that looks like it
			r = '`'
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Cf):
			continue
		}
		if !strings.ContainsRune(markup, r) {
			list = append(list, r)
		}
	}
	return list
}

// Bodies are message bodies of XMPP of many forms, of which some were lost in part.
func Bodies() []string {
	return []string{
		"plain", "a *b* _c_ ~d~ `e`", "*bold _and `code`_*", "**a**", "2*3*4 snake_case_name ~5 km", `back\slash ¯\_(ツ)_/¯`,
		"```ls -l /etc```", "```ls -l /etc", "```ls -l```, then `ls`", "```\nls\n```", "```ls\nls -a```", "```ls\nls -a``` and more", "```go\nx := 1\n```",
		"```hello world\nnext\n```", "```go```", "```go\n```", "```", "``````", "```\n```", "```\n\n```\nafter", "```\nopen", "```a\n```b\n```c",
		"```a``` b ```c```", "see ```ls -l``` ok", "``a`b``", "`` ` ``", "`", "``", "`a", "a ` b", "````\n```\nx\n````", "> ```\n> x\n> ```", "> ```x```\ny",
		"```\na ``` b\n```", "```\n> a\n> > b\n&gt; c\n```", "> q\n> > r\n>s\n>>t\nafter", ">", "> ", ">_<", "> *a\n> b*", strings.Repeat("> ", 12) + "deep",
		"# no heading\n## none\n-# small\n- a\n* b\n+ c\n1. d\n3) e\n07. f\n7. g", "- ", "--", "a\n\n\nb", " lead", "trail ", "\ttab\there",
		"https://e.org/a_b_c?x=1&y=2#z", "see https://e.org/(a), <https://e.org/b> [l](https://e.org/c) [x](y)", "https://", "http://*b*", "mailto:a@e.org",
		"<@U123> <#C1|x> <!channel> <https://e.org|t> <a> </a> &lt; &amp; &", "@everyone @here @channel @Ann #general :smile: :+1: <:b:1>", "||spoiler|| __u__",
		"*a* *b*", "*a**b*", "_*~`x`~*_", "~*_", "* a*", "*a *", "*\n*", "*a\nb*", "_a_b_", "a*b*", "(*a*)", "*`a*`", "`*a`*", "*a `b* c`",
		"❤️ 👩‍👩‍👧‍👦 🇩🇪 e\u0301 \u202eabc\u202c \u200b|\u200d", "\x02" + "0\x03 \x021\x03", "1\x022\x033",
	}
}

// Fuzz calls check with texts that a person could type, of at most 2,000 bytes, without the characters of not.
func Fuzz(f *testing.F, not string, check func(t *testing.T, text string)) {
	f.Helper()
	for _, text := range Bodies() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 2000 && utf8.ValidString(text) && !strings.ContainsAny(text, not) {
			check(t, text)
		}
	})
}
