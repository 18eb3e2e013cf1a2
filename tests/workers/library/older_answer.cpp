// libanswer.so of an older release, which does not know the_answer() yet.

int the_question();

int the_question() { return 6 * 9; }
