package main

import "strings"

// person is somebody who lives in a town, with their ways.
type person struct {
	handle, name, title string
	picture             emoji    // how they react
	answers             []string // {you} is who spoke, {word} a word of what was said
	corrects            bool     // they mistype, and edit what they wrote a second later
}

// slackPeople work at Acme.
var slackPeople = []*person{
	{
		handle: "rosa", name: "Rosa Lind", title: "Design", picture: emoji{"🎉", "tada"}, corrects: true,
		answers: []string{
			"Hello {you}! You said “{word}”, and I was thinking just that.",
			"{you}, give me a minute: about {word} I have a drawing somewhere.",
			"Lovely. Shall we put “{word}” on the wall, {you}?",
		},
	},
	{
		handle: "tom", name: "Tom Okafor", title: "Engineering", picture: emoji{"👍", "+1"},
		answers: []string{
			"Works on my machine, {you}. Did you try {word} again?",
			"Before we talk of {word}, {you}: is it plugged in?",
			"I can have {word} ready by Friday, {you}. Which Friday, I did not say.",
		},
	},
	{
		handle: "mei", name: "Mei Tanaka", title: "Office", picture: emoji{"☕", "coffee"},
		answers: []string{
			"{you}, there is coffee, and if you like we talk about {word}.",
			"I wrote “{word}” on the list for Monday, {you}.",
		},
	},
}

// discordPeople play chess.
var discordPeople = []*person{
	{
		handle: "ada", name: "Ada", title: "White to move", picture: emoji{"♟️", "chess_pawn"}, corrects: true,
		answers: []string{
			"{you}, “{word}” sounds like the Sicilian to me.",
			"A good move, {you}. I answer {word} with a knight.",
			"Let me think about {word}, {you}. … No. Queen takes.",
		},
	},
	{
		handle: "viktor", name: "Viktor", title: "Endgames only", picture: emoji{"🤔", "thinking_face"},
		answers: []string{
			"In 1972, {you}, they would have called {word} a blunder.",
			"{word}? Draw, {you}?",
		},
	},
	{
		handle: "samir", name: "Samir", title: "Looking for a game", picture: emoji{"👀", "eyes"},
		answers: []string{
			"{you}! Up for a game? We can speak of {word} between the moves.",
			"I have heard worse than “{word}” today, {you}.",
		},
	},
}

// What was said before the demo began.
var (
	slackHistory = []line{
		{0, 0, "Good morning, all. The new posters are up."},
		{1, 0, "They look great. Is the dragon on purpose?"},
		{0, 0, "The dragon is always on purpose."},
		{2, 1, "There is cake. There was cake."},
		{1, 2, "Nobody outside knows of the launch, do they?"},
		{0, 2, "Only the printer."},
	}
	discordHistory = []line{
		{1, 0, "Who left the board in the middle of a game?"},
		{2, 0, "It is not the middle if you are lost, Viktor."},
		{0, 1, "Has anybody an answer to the London that is not falling asleep?"},
		{1, 2, "Round four is on Thursday. Bring your own clocks."},
	}
)

// scenes are what the people talk about among themselves.
var (
	slackScenes = [][]line{
		{{2, 1, "Whose is the lunch box with the sticker of a lighthouse?"}, {1, 1, "Mine. Do not open it."}, {2, 1, "Too late."}},
		{{0, 0, "Two versions of the logo: which one?"}, {1, 0, "The left one."}, {0, 0, "It is the same file twice, Tom."}},
		{{1, 0, "I restart the build machine. Hold on to something."}, {2, 0, "The lights flickered!"}, {1, 0, "Not me. Probably."}},
	}
	discordScenes = [][]line{
		{{2, 0, "Anybody for five minutes of blitz?"}, {0, 0, "If I get White."}, {2, 0, "You always get White."}},
		{{1, 1, "The Petroff. Fight me."}, {0, 1, "Nobody ever had the energy to fight the Petroff."}},
		{{0, 2, "My next opponent has not lost since spring."}, {1, 2, "Then it is time."}},
	}
	// greetings are how somebody begins a conversation by themselves.
	greetings = []string{"Are you there? I only wanted to say hello.", "Do you have a minute later on?", "I found something of yours on my desk."}
)

// maxWord is the longest word that somebody takes up.
const maxWord = 24

// answer is what a person says to somebody.
func (p *person) answer(template int, you, said string) string {
	you, _, _ = strings.Cut(you, " ")
	return strings.NewReplacer("{you}", you, "{word}", weightiest(said)).Replace(p.answers[template%len(p.answers)])
}

// weightiest is the longest word of a text.
func weightiest(text string) string {
	best := "that"
	longest := 0
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !letter(r) }) {
		if n := len([]rune(w)); n > longest && n <= maxWord {
			best, longest = w, n
		}
	}
	return best
}

// mistyped is a text with two letters in the wrong order in one word.
func mistyped(text string) string {
	word := []rune(weightiest(text))
	for i := len(word) / 2; i > 0; i-- {
		if word[i] != word[i-1] {
			wrong := append([]rune(nil), word...)
			wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
			return strings.Replace(text, string(word), string(wrong), 1)
		}
	}
	return text + "."
}
