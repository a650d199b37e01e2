// Package content turns what a message of Discord says into a neutral text, and a text into Discord's Markdown.
//
// Reader reads messages: Markdown in blocks (parse.go), what stands in lines (spans.go, masked.go for links with labels), embeds
// (embeds.go), components (components.go), and polls, stickers and themes (text.go). Markup (markup.go) writes Markdown, in which no
// text of ours mentions anybody.
//
// Nothing here starts a goroutine or takes a lock but that of the state.
package content
