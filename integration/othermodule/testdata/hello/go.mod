module hello.example/gateway

go 1.26.8

require github.com/dragoman-im/dragoman v0.0.0

replace github.com/dragoman-im/dragoman => ../../../..
