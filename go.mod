module rtfm

go 1.26
