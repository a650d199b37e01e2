package richtext

import "testing"

func TestNormalEmoji(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"👍": "👍", "👍\uFE0F": "👍", ":+1:": "👍", ":thumbsup:": "👍", " 👍 ": "👍",
		"👍🏽": "👍🏽", "👍\uFE0F🏽": "👍🏽", ":+1::skin-tone-4:": "👍🏽",
		"❤": "❤\uFE0F", "❤\uFE0F": "❤\uFE0F", "❤\uFE0E": "❤\uFE0F", ":heart:": "❤\uFE0F",
		"☕": "☕", "☕\uFE0F": "☕", "©": "©\uFE0F",
		"1\u20E3": "1\uFE0F\u20E3", "1\uFE0F\u20E3": "1\uFE0F\u20E3", "1": "1",
		"☝🏽": "☝🏽", "☝\uFE0F🏽": "☝🏽", "☝": "☝\uFE0F",
		"🕵🏽\u200D♂": "🕵🏽\u200D♂\uFE0F", "🕵\u200D♂\uFE0F": "🕵\uFE0F\u200D♂\uFE0F",
		"🏳\u200D🌈": "🏳\uFE0F\u200D🌈", "❤\u200D🔥": "❤\uFE0F\u200D🔥", "🇩🇪": "🇩🇪",
		":party_parrot:": ":party_parrot:", ":+1::skin-tone-9:": ":+1::skin-tone-9:", ":": ":", "": "", "::": "::",
	} {
		if got := NormalEmoji(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzNormalEmoji(f *testing.F) {
	f.Add("❤\u200D🔥")
	f.Fuzz(func(t *testing.T, s string) {
		once := NormalEmoji(s)
		if again := NormalEmoji(once); again != once {
			t.Errorf("%q is %q, and that is %q", s, once, again)
		}
	})
}
