package textcheck

import (
	"regexp"
	"strings"
	"testing"
)

var inBrackets = regexp.MustCompile(`<[^>]*>?`)

// CheckMrkdwn wants nothing in angle brackets of what is written for Slack but web addresses.
func CheckMrkdwn(t *testing.T, in, out string) {
	t.Helper()
	for _, b := range inBrackets.FindAllString(out, -1) {
		if !strings.HasPrefix(b, "<http") || !strings.HasSuffix(b, ">") || strings.ContainsAny(b, " \n") {
			t.Errorf("%q becomes %q: %q", in, out, b)
		}
	}
	for line := range strings.Lines(out) { // a quotation's mark is the only bare one
		if strings.Contains(inBrackets.ReplaceAllString(strings.TrimPrefix(line, "> "), ""), ">") {
			t.Errorf("%q becomes %q", in, out)
		}
	}
	if strings.ContainsAny(out, "\x02\x03") {
		t.Errorf("%q becomes %q", in, out)
	}
}

// Pings are texts that would do something in Slack if they were taken for markup.
func Pings() []string {
	return []string{
		"@channel @here @everyone", "<!channel>", "<!here|here>", "<!everyone>", "<@U0123>", "<#C0123|x>", "<!subteam^S1|@crew>", "<!date^1^{date}|x>",
		"&lt;!channel&gt;", "&amp;lt;!channel>", "\x02" + "0\x03", "<https://evil.example|https://bank.example>", "https://x.example/<!channel>", "https://x.example|<!here>",
		"https://x.example/a>b<!channel>", "```\n<!channel>\n```", "`<!channel>`", "*<!channel>*", "> <!channel>", "> > <!channel>", ">>> <!channel>", "<\u200b!channel>",
		"<\u202e!lennahc>", ":tada: :no_such: ::", "/me <!channel>", "\ue000\uf8ff", "\U000F0000", "\xff\xfe", "a\x00b\x1f", "```", "``` ``` ```", "https://a.example https://b.example",
	}
}
