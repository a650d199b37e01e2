package content

import (
	"encoding/json"
	"testing"
)

// Blocks of kinds that are not known here show their texts, and what cannot be read takes nothing with it.
func TestBlocksOfOtherKinds(t *testing.T) {
	t.Parallel()
	s := reader()
	for in, want := range map[string]string{
		`[{"type":"actions","elements":[{"type":"future_button","text":{"type":"plain_text","text":"Go"}},{"type":"button","text":{"type":"plain_text","text":"Approve"}}]}]`:                                                         "Go [Approve]",
		`[{"type":"future","body":{"heading":{"type":"mrkdwn","text":"*New*"}}},{"type":"section","text":"plain"}]`:                                                                                                                   "*New*\nplain",
		`[5,{"type":"section","text":{"type":"mrkdwn","text":7}},{"type":[],"text":"x"},{"type":"context","elements":[null,{"type":"mrkdwn","text":"*a*"},"b",{"type":"image","image_url":"https://e.org/i.png","alt_text":"pic"}]}]`: "7\nx\n*a* pic <https://e.org/i.png>",
		`[{"type":"table","rows":[[{"type":"raw_text","text":"A"},{"type":"raw_text","text":"B"}],[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"1"}]}]},7]]}]`:                      "A | B\n1 | ",
		`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a","style":"bold"},{"type":"text","text":"b","style":{"bold":"x","italic":true}},{"type":"future","value":"c"},7]}]}]`:       "a_b_c",
		`[{"type":"divider"},{"type":"section","text":{"type":"mrkdwn","text":"a"},"accessory":{"type":"static_select","placeholder":{"type":"plain_text","text":"Choose"}}}]`:                                                        "———\na\n[Choose]",
		`{"type":"section"}`: "",
	} {
		if got := s.blocks(json.RawMessage(in)).Styling(); got != want {
			t.Errorf("%s\nis %q, want %q", in, got, want)
		}
	}
}
