package demo

import (
	"strings"
	"unicode"
)

// user is a simulated user of a fake network, with what they answer.
type user struct {
	handle, name, title string
	reaction            emoji    // how they react
	answers             []string // {you} is the author of the message, {word} a word of it
	makesTypos          bool     // sends answers with a typo and edits them a second later
}

// slackUsers are the users of the workspace Acme.
var slackUsers = []*user{
	{
		handle: "rosa", name: "Rosa Lind", title: "Design", reaction: emoji{"🎉", "tada"}, makesTypos: true,
		answers: []string{
			"Hello {you}! You said “{word}”, and I was thinking just that.",
			"{you}, give me a minute: about {word} I have a drawing somewhere.",
			"Lovely. Shall we put “{word}” on the wall, {you}?",
		},
	},
	{
		handle: "tom", name: "Tom Okafor", title: "Engineering", reaction: emoji{"👍", "+1"},
		answers: []string{
			"Works on my machine, {you}. Did you try {word} again?",
			"Before we talk of {word}, {you}: is it plugged in?",
			"I can have {word} ready by Friday, {you}. Which Friday, I did not say.",
		},
	},
	{
		handle: "mei", name: "Mei Tanaka", title: "Office", reaction: emoji{"☕", "coffee"},
		answers: []string{
			"{you}, there is coffee, and if you like we talk about {word}.",
			"I wrote “{word}” on the list for Monday, {you}.",
		},
	},
}

// discordUsers are the members of the guild Chess club.
var discordUsers = []*user{
	{
		handle: "ada", name: "Ada", title: "White to move", reaction: emoji{"♟️", "chess_pawn"}, makesTypos: true,
		answers: []string{
			"{you}, “{word}” sounds like the Sicilian to me.",
			"A good move, {you}. I answer {word} with a knight.",
			"Let me think about {word}, {you}. … No. Queen takes.",
		},
	},
	{
		handle: "viktor", name: "Viktor", title: "Endgames only", reaction: emoji{"🤔", "thinking_face"},
		answers: []string{
			"In 1972, {you}, they would have called {word} a blunder.",
			"{word}? Draw, {you}?",
		},
	},
	{
		handle: "samir", name: "Samir", title: "Looking for a game", reaction: emoji{"👀", "eyes"},
		answers: []string{
			"{you}! Up for a game? We can speak of {word} between the moves.",
			"I have heard worse than “{word}” today, {you}.",
		},
	},
}

// Messages from before the demo.
var (
	slackHistory = []scriptLine{
		{0, 0, "Good morning, all. The new posters are up."},
		{1, 0, "They look great. Is the dragon on purpose?"},
		{0, 0, "The dragon is always on purpose."},
		{2, 1, "There is cake. There was cake."},
		{1, 2, "Nobody outside knows of the launch, do they?"},
		{0, 2, "Only the printer."},
	}
	discordHistory = []scriptLine{
		{1, 0, "Who left the board in the middle of a game?"},
		{2, 0, "It is not the middle if you are lost, Viktor."},
		{0, 1, "Has anybody an answer to the London that is not falling asleep?"},
		{1, 2, "Round four is on Thursday. Bring your own clocks."},
	}
)

// Dialogues of the simulated users.
var (
	slackDialogues = [][]scriptLine{
		{{2, 1, "Whose is the lunch box with the sticker of a lighthouse?"}, {1, 1, "Mine. Do not open it."}, {2, 1, "Too late."}},
		{{0, 0, "Two versions of the logo: which one?"}, {1, 0, "The left one."}, {0, 0, "It is the same file twice, Tom."}},
		{{1, 0, "I restart the build machine. Hold on to something."}, {2, 0, "The lights flickered!"}, {1, 0, "Not me. Probably."}},
	}
	discordDialogues = [][]scriptLine{
		{{2, 0, "Anybody for five minutes of blitz?"}, {0, 0, "If I get White."}, {2, 0, "You always get White."}},
		{{1, 1, "The Petroff. Fight me."}, {0, 1, "Nobody ever had the energy to fight the Petroff."}},
		{{0, 2, "My next opponent has not lost since spring."}, {1, 2, "Then it is time."}},
	}
	// greetings start a direct conversation.
	greetings = []string{"Are you there? I only wanted to say hello.", "Do you have a minute later on?", "I found something of yours on my desk."}
)

// maxWord is the length of the longest word that an answer repeats.
const maxWord = 24

// answer is an answer to a text of somebody.
func (u *user) answer(number int, you, text string) string {
	you, _, _ = strings.Cut(you, " ")
	return strings.NewReplacer("{you}", you, "{word}", longestWord(text)).Replace(u.answers[number%len(u.answers)])
}

// longestWord is the longest word of a text.
func longestWord(text string) string {
	best := "that"
	longest := 0
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
		if n := len([]rune(w)); n > longest && n <= maxWord {
			best, longest = w, n
		}
	}
	return best
}

// withTypo is a text with two letters in the wrong order in one word.
func withTypo(text string) string {
	word := []rune(longestWord(text))
	for i := len(word) / 2; i > 0; i-- {
		if word[i] != word[i-1] {
			wrong := append([]rune(nil), word...)
			wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
			return strings.Replace(text, string(word), string(wrong), 1)
		}
	}
	return text + "."
}
