// Package content turns what a message of Slack says into a neutral text, and a text into what Slack is sent.
//
// Reader reads messages: mrkdwn (parse.go; markup in angle brackets is set aside by marks.go), rich text (richblocks.go), the other blocks
// of Block Kit and their elements (layout.go, cards.go, elements.go) and attachments (attachments.go). Markup writes mrkdwn. Names of
// emoji are in emoji.go, ids in ids.go.
//
// Nothing here starts a goroutine or takes a lock; Names is asked in the goroutine of the caller.
package content
