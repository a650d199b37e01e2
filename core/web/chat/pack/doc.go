// Command pack writes converse.zip from the installed npm package. Run it by "go generate ./core/web/chat".
package main
